"""What is added when Redis is a millisecond away: how many trips a request really makes."""

from __future__ import annotations

import time
from contextlib import AsyncExitStack

from ..kit.client import Block, fitting, sequential
from ..kit.delay import delayed
from ..kit.rounds import System
from ..kit.servers import server
from ..kit.stats import Table, quantile, spread
from ..kit.wire import Wire, connect
from ..systems import Variant
from ..systems.all import variants
from . import Bench, set_up, set_up_bare

ONE_WAY = 0.0005
SHOWN = (
    "pumpguard", "floor", "limits_fixed_1", "asgi_ratelimit_8", "limits_fixed_8", "throttled_8",
    "slowapi_8", "fastapi_limiter_8",
)  # fmt: skip


async def run(bench: Bench) -> Table:
    """Sequential requests through a delay proxy, in units of a PING through the same proxy."""
    chosen: list[Variant] = [variants()[name] for name in SHOWN if name in variants()]
    size = bench.pick(40, 150)
    found: dict[str, list[float]] = {each.name: [] for each in chosen}
    pings: list[float] = []
    with server() as store, delayed(store.port, ONE_WAY) as port:
        async with AsyncExitStack() as stack:
            url = f"redis://127.0.0.1:{port}/0"
            bare, systems = await set_up_bare(stack), await set_up(chosen, url, stack)
            wire = await connect(url, stack)
            for system in (bare, *systems):
                await fitting(system.app, system.requests, 0.01, 1)
            for number in range(bench.pick(4, 10)):
                bench.say(f"round {number + 1}")
                for system in bench.rng.sample(systems, len(systems)):
                    base = await _take(bare, 200)
                    ping = await _ping(wire, size)
                    block = await _take(system, size)
                    pings.append(ping)
                    found[system.name].append((block.latency(0.5) - base.latency(0.5)) / ping)
    return {
        "ping_microseconds": spread(pings).table(),
        "systems": {
            each.name: {"title": each.title, "pings": spread(found[each.name]).table()}
            for each in chosen
        },
    }


async def _take(system: System, size: int) -> Block:
    return await sequential(system.app, (next(system.requests) for _ in range(size)))


async def _ping(wire: Wire, size: int) -> float:
    """The median of so many PINGs, in microseconds."""
    took = []
    for _ in range(size):
        began = time.perf_counter()
        await wire.call("PING")
        took.append((time.perf_counter() - began) * 1e6)
    return quantile(took, 0.5)
