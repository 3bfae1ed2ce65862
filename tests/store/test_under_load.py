"""Faults of real servers while 200 requests are in flight and the event loop has no time.

In a flood each turn of the loop takes longer than the deadline. A guard that then holds a healthy
server for one that is away decides alone for as long as the flood lasts, with limits begun anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from pumpguard import Guard, Policy
from pumpguard.intake.network import UnknownNetworks
from pumpguard.rules import RateLimit
from pumpguard.store.breaker import LONGEST_PAUSE
from pumpguard.testing import make_attempt
from tests.store.transport.fleet import Server, cluster, moving, until, watched_pair

CONNECTIONS = 200
BUSY = 0.0003
"""Seconds of other work for each request: a turn of the loop takes 60 to 100 ms then."""

LIMIT, WORKERS = 6, 2
SHARE = LIMIT // WORKERS
"""What this process admits alone, beside what the server has admitted before."""

VICTIM = "+447400999999"


class Flood:
    """200 clients that ask again as soon as they have their answer, every tenth time for one number
    that they all know; and what they were told, in order."""

    def __init__(self, guard: Guard) -> None:
        self.degraded: list[bool] = []
        self.victim = 0  # messages to the one number
        self._guard = guard
        self._numbers = count()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Flood]:
        tasks = [asyncio.create_task(self._client()) for _ in range(CONNECTIONS)]
        try:
            yield self
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            await self._guard.aclose()
        assert {type(end) for end in ended} == {asyncio.CancelledError}, ended

    async def _client(self) -> None:
        while True:
            await asyncio.sleep(0)
            number = next(self._numbers)
            phone = f"+44740{number * 97_531 % 10**7:07}" if number % 10 else VICTIM
            decision = await self._guard.assess(make_attempt(phone))
            self.degraded.append(decision.degraded)
            self.victim += decision.allowed and phone == VICTIM
            time.sleep(BUSY)  # noqa: ASYNC251 - this is the flood

    async def decides(self, how_many: int = 600) -> list[bool]:
        """Which of so many further decisions are degraded."""
        begun = len(self.degraded)
        async with asyncio.timeout(60):
            while len(self.degraded) < begun + how_many:  # noqa: ASYNC110 - clients have no event
                await asyncio.sleep(0)
        return self.degraded[begun : begun + how_many]

    async def gets(self, degraded: bool) -> None:
        """Wait for a decision that is degraded, or that is not."""
        async with asyncio.timeout(120):
            while (await self.decides(1))[0] is not degraded:
                pass


def used(degraded: list[bool]) -> bool:
    """Whether the server has decided. A machine that is busy with other work may keep it from
    answering in time once: that costs those that are in flight."""
    return sum(degraded) <= CONNECTIONS


def flooded(url: str, name: str) -> Flood:
    """A guard with the ordinary deadline, and its flood."""
    rule = RateLimit(name="limit", by="phone", limits=f"{LIMIT}/hour")
    policy = Policy(send="/send", name=name, rules=[rule], workers=WORKERS)
    return Flood(Guard(policy, url, networks=UnknownNetworks()))


async def elsewhere(action: Callable[[], Any]) -> None:
    """Do something to servers while the flood goes on."""
    await asyncio.get_running_loop().run_in_executor(None, action)


@dataclass(frozen=True)
class Fault:
    """How a server is broken, and mended, and whether it forgets what it has counted."""

    breaks: Callable[[Server], Any]
    mends: Callable[[Server], Any]
    forgets: bool = False


def told(*words: Any) -> Callable[[Server], Any]:
    return lambda server: server.ask(*words)


def signalled(which: signal.Signals) -> Callable[[Server], Any]:
    return lambda server: server.signal(which)


RIGHT, MEMORY, REPLICAS = (
    ("ACL", "SETUSER", "default"),
    ("CONFIG", "SET", "maxmemory"),
    ("CONFIG", "SET", "min-replicas-to-write"),
)
FAULTS = {
    "killed": Fault(lambda server: server.kill(), lambda server: server.start(), forgets=True),
    "stopped": Fault(signalled(signal.SIGSTOP), signalled(signal.SIGCONT)),
    "read-only": Fault(told("REPLICAOF", "127.0.0.1", "1"), told("REPLICAOF", "NO", "ONE")),
    "out of memory": Fault(told(*MEMORY, "1"), told(*MEMORY, "0")),
    "without a right": Fault(told(*RIGHT, "-@scripting"), told(*RIGHT, "+@scripting")),
    "too few replicas": Fault(told(*REPLICAS, "1"), told(*REPLICAS, "0")),
}
"""All but the first leave connections and data as they are."""


async def test_from_a_cold_start_a_healthy_server_is_used(name: str) -> None:
    """All 200 come before there is a connection: they wait for it, and none is decided alone."""
    with Server() as server:
        async with flooded(server.url, name).running() as flood:
            assert used(await flood.decides(1_000))
    assert flood.victim <= LIMIT + SHARE


async def test_a_broken_connection_costs_those_that_were_on_it(name: str) -> None:
    """CLIENT KILL, a firewall, a proxy that restarts: nobody else notices."""
    with Server() as server:
        async with flooded(server.url, name).running() as flood:
            await flood.decides()
            for _ in range(3):
                begun = len(flood.degraded)
                await elsewhere(
                    lambda: server.ask("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
                )
                await flood.decides(1_000)
                assert sum(flood.degraded[begun:]) <= 2 * CONNECTIONS
            assert used(await flood.decides())
    assert flood.victim <= LIMIT + SHARE


@pytest.mark.parametrize("kind", FAULTS)
async def test_a_server_that_is_mended_is_used_again(
    name: str, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Decisions are degraded while it is broken, and from the first that is not, none is. It is
    asked twice a second, by whom no flood keeps from it."""
    fault = FAULTS[kind]
    assert LONGEST_PAUSE <= 0.5
    with Server() as server:
        async with flooded(server.url, name).running() as flood:
            assert used(await flood.decides())
            await elsewhere(lambda: fault.breaks(server))
            await flood.gets(degraded=True)
            await flood.decides(1_000)
            assert all(await flood.decides())
            await elsewhere(lambda: fault.mends(server))
            await flood.gets(degraded=False)
            await flood.decides(CONNECTIONS)  # those that were decided alone a moment before
            assert used(await flood.decides(1_000))
    assert flood.victim <= LIMIT * (2 if fault.forgets else 1) + SHARE
    assert caplog.text.count("PG010") == caplog.text.count("PG011") == 1


@contextlib.contextmanager
def slow(server: Server, seconds: float) -> Iterator[None]:
    """Every answer takes so long, because somebody else's scripts are always in front."""
    work = "local n = 0 for i = 1, ARGV[1] do n = n + i end"
    begun = time.monotonic()
    server.ask("EVAL", work, 0, 1_000_000)
    much = int(1_000_000 * seconds / (time.monotonic() - begun))
    over = threading.Event()

    def keep_busy() -> None:
        while not over.is_set():
            server.ask("EVAL", work, 0, much)

    threads = [threading.Thread(target=keep_busy) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


async def test_a_server_that_was_slow_is_used_again(name: str) -> None:
    """Each answer took four deadlines; calls that were late are answered, and dropped."""
    with Server() as server:
        async with flooded(server.url, name).running() as flood:
            assert used(await flood.decides())
            busy = slow(server, 0.2)
            await elsewhere(busy.__enter__)
            await flood.gets(degraded=True)
            await flood.decides(1_000)
            await elsewhere(lambda: busy.__exit__(None, None, None))
            await flood.gets(degraded=False)
            await flood.decides(CONNECTIONS)
            assert used(await flood.decides(1_000))
    assert flood.victim <= LIMIT + SHARE


async def test_after_a_failover_the_new_master_is_used(name: str) -> None:
    """The master dies, and a sentinel promotes the replica."""
    with watched_pair() as (master, replica, sentinel):
        url = f"redis+sentinel://{sentinel.seed}/shop"
        async with flooded(url, name).running() as flood:
            await flood.gets(degraded=False)
            assert used(await flood.decides())
            await elsewhere(master.kill)
            await flood.gets(degraded=True)
            await elsewhere(lambda: until(lambda: replica.ask("ROLE")[0] == b"master"))
            await flood.gets(degraded=False)
            await flood.decides(CONNECTIONS)
            assert used(await flood.decides(1_000))
    # What the old master had admitted in its last moments may be admitted once more.
    assert flood.victim <= 2 * LIMIT + SHARE


async def test_after_a_slot_has_moved_its_new_owner_is_used(name: str) -> None:
    """While keys are on both sides the cluster says so, and the process decides alone."""
    with cluster() as nodes:
        url = "redis+cluster://" + ",".join(node.seed for node in nodes)
        async with flooded(url, name).running() as flood:
            await flood.gets(degraded=False)
            assert used(await flood.decides())
            move = moving(nodes, name)
            await elsewhere(move.__enter__)
            await flood.decides()
            await elsewhere(lambda: move.__exit__(None, None, None))
            await flood.decides(CONNECTIONS)
            await flood.gets(degraded=False)
            await flood.decides(CONNECTIONS)
            assert used(await flood.decides(1_000))
    assert flood.victim <= LIMIT + SHARE
