"""Whether a Redis that stops answering stops the event loop."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack

from starlette.types import ASGIApp

from pumpguard import PumpGuardMiddleware

from ..kit.client import call
from ..kit.servers import Server, server
from ..kit.stats import Table
from ..kit.traffic import Request, endless, traffic
from ..systems import PLENTY
from ..systems.all import variants
from ..systems.app import make_app
from ..systems.ours import guard
from . import Bench

PAUSE = 0.3
APART = 0.002
"""A request every two milliseconds, as an open world sends them."""

DEADLINE = 0.05
"""The default policy's own: here the pause is the point."""


async def run(bench: Bench) -> Table:
    """The longest gaps between the loop's ticks: with a pause, without one, and slowapi's."""
    times = bench.pick(3, 10)
    requests = endless(traffic())
    with server() as store:
        async with AsyncExitStack() as stack:
            guarded = PumpGuardMiddleware(
                make_app(), guard=guard(store.url, stack=stack, deadline=DEADLINE)
            )
            await call(guarded, next(requests))
            found = {
                "undisturbed_gap_ms": [await _gap(guarded, requests, None) for _ in range(times)],
                "largest_gap_ms": [await _gap(guarded, requests, store) for _ in range(times)],
            }
            if "slowapi_1" in variants():
                peer = await variants()["slowapi_1"].build(store.url, stack, PLENTY)
                found["slowapi_gap_ms"] = [await _gap(peer, requests, store)]
    return {
        "pauses": times,
        **{name: round(max(each[0] for each in gaps), 2) for name, gaps in found.items()},
        "statuses": dict(sum((each[1] for each in found["largest_gap_ms"]), Counter())),
    }


async def _gap(
    app: ASGIApp, requests: Iterator[Request], store: Server | None
) -> tuple[float, Counter[int]]:
    """The largest gap, in milliseconds, while requests come in and the server pauses."""
    statuses: Counter[int] = Counter()
    done = asyncio.Event()
    watch = asyncio.create_task(_watch(done))
    arrivals = asyncio.create_task(_arrive(app, requests, statuses, done))
    await asyncio.sleep(0.3)
    if store is not None:
        os.kill(store.pid, signal.SIGSTOP)
        try:
            # From a thread: a loop that is blocked could not end the pause.
            await asyncio.to_thread(_continue_after, store.pid)
        finally:
            os.kill(store.pid, signal.SIGCONT)
    await asyncio.sleep(0.3)
    done.set()
    await arrivals
    return await watch * 1000, statuses


def _continue_after(pid: int) -> None:
    time.sleep(PAUSE)
    os.kill(pid, signal.SIGCONT)


async def _watch(done: asyncio.Event) -> float:
    largest, last = 0.0, time.perf_counter()
    while not done.is_set():
        await asyncio.sleep(0.001)
        now = time.perf_counter()
        largest, last = max(largest, now - last - 0.001), now
    return largest


async def _arrive(
    app: ASGIApp, requests: Iterator[Request], statuses: Counter[int], done: asyncio.Event
) -> None:
    async def one(request: Request) -> None:
        statuses[await call(app, request)] += 1

    async with asyncio.TaskGroup() as group:
        while not done.is_set():
            group.create_task(one(next(requests)))
            await asyncio.sleep(APART)
