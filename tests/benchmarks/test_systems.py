"""Every system that is measured answers, and limits: none of them is measured asleep."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest

from benchmarks.kit.client import call, concurrent, sequential
from benchmarks.kit.servers import Reading, Server
from benchmarks.kit.traffic import HOME, traffic
from benchmarks.systems import PLENTY
from benchmarks.systems.all import variants
from pumpguard.intake.phone import canonical
from pumpguard.store.embedded import EmbeddedServer

FEW = 200
LIMITING = [name for name in variants() if name != "bare"]


@pytest.fixture(scope="module")
def store() -> Iterator[Server]:
    """A server over TCP, as the benchmarks use it."""
    with EmbeddedServer() as embedded:
        opened = Server(embedded)
        yield opened
        opened.close()


# A peer's warnings are its own business.
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", LIMITING)
async def test_a_system_admits_then_limits(name: str, store: Server) -> None:
    store.clear()
    request = traffic(FEW)[0]
    async with AsyncExitStack() as stack:
        app = await variants()[name].build(store.url, stack, 2)
        statuses = [await call(app, request) for _ in range(4)]
    assert statuses[0] == 202
    assert statuses[-1] == 429


async def test_the_bare_app_limits_nobody() -> None:
    async with AsyncExitStack() as stack:
        app = await variants()["bare"].build("", stack, 1)
        assert [await call(app, traffic(FEW)[0]) for _ in range(3)] == [202, 202, 202]


@pytest.mark.parametrize("name", ["pumpguard", "pumpguard_memory"])
async def test_the_traffic_is_admitted(name: str, store: Server) -> None:
    store.clear()
    requests = traffic(FEW)
    async with AsyncExitStack() as stack:
        app = await variants()[name].build(store.url, stack, PLENTY)
        one = await sequential(app, requests[:20])
        many = await concurrent(app, requests[20:])
    assert one.admitted == many.admitted == 1.0
    assert len(one.latencies) == 20


async def quiet(store: Server) -> Reading:
    """The counters, once the look at the server that goes on in the background has ended."""
    while True:
        before = store.reading()
        await asyncio.sleep(0.05)
        now = store.reading()
        if (now - before).reads == 0:
            return now


async def test_the_server_counts_one_trip_per_request(store: Server) -> None:
    store.clear()
    async with AsyncExitStack() as stack:
        app = await variants()["pumpguard"].build(store.url, stack, PLENTY)
        await sequential(app, traffic(FEW)[:2])
        before = await quiet(store)
        await sequential(app, traffic(FEW)[2:12])
        after = store.reading()
    assert (after - before).reads == 10
    assert store.keys()[0] > 0
    assert store.keys()[1] == 0


def test_the_traffic_is_the_same_on_every_run() -> None:
    requests = traffic(FEW)
    traffic.cache_clear()
    assert traffic(FEW) == requests
    assert len({each.phone for each in requests}) == FEW
    assert len({each.address for each in requests}) == FEW
    assert {canonical(each.phone).region for each in requests} == set(HOME)
