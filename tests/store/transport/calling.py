"""Short words for making calls over a multiplexer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import fields
from typing import Any

import pytest

from pumpguard.errors import StoreError
from pumpguard.store.transport.endpoint import Endpoint
from pumpguard.store.transport.link import Multiplexer
from tests.store.transport.stand_ins import CountedWrites

TICK = 0.005
"""Seconds by which uvloop, which counts in milliseconds from the start of its tick, is early."""


MakeLine = Callable[..., Multiplexer]


def counted(url: str) -> CountedWrites:
    plain = Endpoint.of(url)
    return CountedWrites(**{f.name: getattr(plain, f.name) for f in fields(plain)})


async def closed(line: Multiplexer) -> None:
    """Close all its connections; it may be used again."""
    await asyncio.gather(*(each.aclose() for each in line.close()))


async def outcomes(*calls: Any) -> list[Any]:
    return await asyncio.gather(*calls, return_exceptions=True)


async def call(line: Multiplexer, *command: Any) -> Any:
    """Send a command and await its reply."""
    return await line.ask(command)


async def fault(making: Awaitable[Any]) -> StoreError:
    """The store error that a call ends in."""
    with pytest.raises(StoreError) as caught:
        await making
    return caught.value


async def reads_of(line: Multiplexer) -> int:
    """How often the server has read from anybody; nobody else is here."""
    stats: bytes = await call(line, "INFO", "stats")
    return int(stats.partition(b"total_reads_processed:")[2].split()[0])


async def in_flight(line: Multiplexer, *command: Any, times: int = 1) -> list[asyncio.Task[Any]]:
    """Calls that have been made and wait for their replies."""
    tasks = [asyncio.create_task(call(line, *command)) for _ in range(times)]
    await asyncio.sleep(0.02)
    return tasks
