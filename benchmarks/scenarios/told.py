"""What telling of decisions costs: events to a stream, metrics, the fleet's counts, all of them.

Each beside the same chain that tells nobody, interleaved. What is done behind replies, once a
second, is done at the end of each block, and is part of it: CPU time of the process, per request.
The watch for attacks is part of the chain.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import islice

from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp

from pumpguard import Guard, PumpGuardMiddleware
from pumpguard.ops.events import Events, Stream
from pumpguard.ops.fleet import Fleet
from pumpguard.ops.prometheus import PrometheusMeter

from ..kit.client import WIDTH, concurrent
from ..kit.floods import requests_of
from ..kit.servers import server
from ..kit.stats import Table, spread
from ..kit.traffic import Request
from ..systems.app import make_app
from ..systems.ours import guard
from . import Bench

Behind = Callable[[], Awaitable[None]]
"""What is done once a second."""

AT_ONCE = 320
"""Requests in a block: what some 300 decisions a second leave for a tick."""

KINDS = {"admitted": "users", "refused": "block"}
"""What is asked for: a flood of one block is refused as known to be full."""


def events(guard: Guard) -> Behind:
    """Events to the store's stream."""
    return Events(guard, Stream(guard), tick=3_600.0).flush


def metrics(guard: Guard) -> Behind:
    """Prometheus."""
    meter = PrometheusMeter(guard, CollectorRegistry())

    async def count() -> None:
        meter.count()

    return count


def fleet(guard: Guard) -> Behind:
    """The fleet's counts, as for a console."""
    return Fleet(guard).speak


TELLING: dict[str, tuple[Callable[[Guard], Behind], ...]] = {
    "nobody": (),
    "events": (events,),
    "metrics": (metrics,),
    "events and metrics": (events, metrics),
    "fleet": (fleet,),
    "all": (events, metrics, fleet),
}


@dataclass(slots=True)
class Told:
    """An app whose guard tells somebody, and what each of its blocks took (µs per request)."""

    name: str
    app: ASGIApp
    behind: Sequence[Behind]
    requests: Iterator[Request]
    took: list[float] = field(default_factory=list)

    async def block(self) -> None:
        """One block, with all that is done behind it."""
        requests = list(islice(self.requests, AT_ONCE))
        began = time.process_time()
        await concurrent(self.app, requests, WIDTH)
        for each in self.behind:
            await each()
        self.took.append((time.process_time() - began) / AT_ONCE * 1e6)


async def run(bench: Bench) -> Table:
    """Admitted requests and refused ones."""
    return {kind: await _run(bench, kind) for kind in KINDS}


async def _run(bench: Bench, kind: str) -> Table:
    with server() as store:
        async with AsyncExitStack() as stack:
            telling = [await told(name, kind, store.url, stack) for name in TELLING]
            for round_ in range(bench.pick(20, 30)):
                bench.say(f"{kind}, round {round_ + 1}")
                for each in bench.rng.sample(telling, len(telling)):
                    await each.block()
    nobody = telling[0].took
    return {
        each.name: {
            "cpu_microseconds": spread(each.took).table(),
            "added": spread(a / b - 1 for a, b in zip(each.took, nobody, strict=True)).table(),
        }
        for each in telling
    }


async def told(name: str, kind: str, url: str, stack: AsyncExitStack) -> Told:
    """One of them, warm, over counters of its own."""
    made = guard(url, stack=stack, name=name.replace(" ", "-"))
    await made.check()
    behind = [tell(made) for tell in TELLING[name]]
    start = 5_000 * list(TELLING).index(name)
    app = PumpGuardMiddleware(make_app(), guard=made)
    warm = Told(name, app, behind, requests_of(KINDS[kind], start))
    for _ in range(4):
        await warm.block()
    warm.took.clear()
    return warm
