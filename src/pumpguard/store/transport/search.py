"""Asks several servers at once where to go, and believes the one that knows best."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from time import monotonic
from typing import Any, TypeAlias, TypeVar

from pumpguard.errors import StoreError
from pumpguard.store.transport.endpoint import Endpoint
from pumpguard.store.transport.faults import ErrorReply, Unreachable
from pumpguard.store.transport.multiplexer import Multiplexer
from pumpguard.store.transport.resp import Word

T = TypeVar("T")

PATIENCE = 1.0
"""Seconds that a search may take. It may outlive the call that began it: the next one profits."""

SETTLE = 0.02
"""Seconds that a search waits after the first good answer for one that knows better: who was cut
off from the others is often the first to answer, and says what was true before."""

Rank: TypeAlias = tuple[bool, int]
"""How far an answer can be believed: not from one that is cut off, and by its epoch."""


async def told(server: Endpoint, *commands: tuple[Word, ...]) -> list[Any]:
    """The replies to some commands; error replies stand among them. Raises other `StoreError`s."""
    line = Multiplexer(server, deadline=PATIENCE)
    try:
        replies = await asyncio.gather(*map(line.ask, commands), return_exceptions=True)
    finally:
        await line.aclose()
    for reply in replies:
        if isinstance(reply, BaseException) and not isinstance(reply, ErrorReply):
            raise reply
    return replies


async def latest(attempts: Iterable[Coroutine[Any, Any, tuple[Rank, T]]]) -> T:
    """Of the good answers, the one that ranks highest; the other attempts are called off."""
    tasks = [asyncio.create_task(attempt) for attempt in attempts]
    try:
        return await _best(tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _best(tasks: list[asyncio.Task[tuple[Rank, T]]]) -> T:
    found: list[tuple[Rank, T]] = []
    faults: list[str] = []
    waiting, until = set(tasks), monotonic() + PATIENCE
    while waiting and (left := until - monotonic()) > 0:
        done, waiting = await asyncio.wait(
            waiting, timeout=left, return_when=asyncio.FIRST_COMPLETED
        )
        for task in done:
            try:
                found.append(task.result())
            except StoreError as fault:
                faults.append(str(fault))
        if found:
            until = min(until, monotonic() + SETTLE)
    if found:
        return max(found, key=lambda answer: answer[0])[1]
    if waiting:
        faults.append(f"the others are silent for {PATIENCE:g} s")
    raise Unreachable("nobody knows where to go: " + "; ".join(faults))
