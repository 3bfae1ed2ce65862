"""A process tells the fleet what it sees, and no request waits for that."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis import Redis

from pumpguard import Guard, Policy
from pumpguard.errors import StoreError
from pumpguard.ops.fleet import Fleet, FleetReader, speaker
from pumpguard.ops.fleet.desk import desk_of
from pumpguard.rules.rate_limit import RateLimit
from pumpguard.store.embedded import EmbeddedServer
from pumpguard.store.fleet import Batch, MemoryFleet
from pumpguard.testing import FakeClock
from tests.conftest import PATIENT

ADDRESS = "81.2.69.142"


@pytest.fixture
def policy(name: str) -> Policy:
    """Two messages a day for everybody."""
    limit = RateLimit(name="limit", by="everything", limits="2/day")
    return Policy(send="/s", rules=[limit], name=name, secret="a well kept secret",
                  deadline=PATIENT)  # fmt: skip


@pytest.fixture
async def guards(policy: Policy, valkey_url: str) -> AsyncIterator[list[Guard]]:
    """Three processes, for all they know of each other."""
    guards = [Guard(policy, valkey_url) for _ in range(3)]
    yield guards
    for guard in guards:
        await guard.aclose()


async def ask(guard: Guard, number: int) -> None:
    """Ask for a message."""
    await guard.assess(guard.attempt(f"+4474001234{number:02}", ADDRESS))


async def test_the_sum_is_what_all_processes_saw(guards: list[Guard]) -> None:
    fleets = [Fleet(guard) for guard in guards]
    for n in range(9):
        await ask(guards[n % 3], n)
    for fleet in fleets:
        await fleet.speak()
    desk = desk_of(guards[0])
    assert desk is not None
    view = await desk.reader.look()
    assert view.day.requests == view.hour.requests == 9
    assert {a: each.n for a, each in view.hour.actions.items() if each.n} == {
        "allow": 2,
        "throttle": 7,
    }
    assert sorted(each.decided for each in view.speaking) == [3, 3, 3]


async def test_it_speaks_by_itself_and_says_the_rest_when_it_closes(
    policy: Policy, valkey_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speaker, "TICK", 0.01)
    async with Guard(policy, valkey_url) as there:
        desk = desk_of(there)
        assert desk is not None
        fleet_store = desk.store.fleet
        assert fleet_store is not None
        guard = Guard(policy, valkey_url)
        Fleet(guard)
        await ask(guard, 1)
        for _ in range(1_000):
            if (await fleet_store.look()).speakers:
                break
            await asyncio.sleep(0.01)
        await ask(guard, 2)
        await guard.aclose()
        view = await FleetReader(fleet_store, there.overrides.now).look()
        assert view.hour.requests == 2


class Away(MemoryFleet):
    """A store that may be away; what it is told while it is may have been written or not."""

    away = False
    lost = False

    async def add(self, process: str, number: int, word: str, batch: Batch) -> None:
        if self.lost:
            await super().add(process, number, word, batch)
        if self.away or self.lost:
            raise StoreError("away")
        await super().add(process, number, word, batch)


async def test_an_outage_loses_nothing_and_counts_nothing_twice(policy: Policy) -> None:
    """Whether its batches were written and only the replies were lost, or not."""
    guard = Guard(policy)
    fleet = Fleet(guard)
    store = fleet.store = Away()
    for n in range(4):
        store.away, store.lost = n == 1, n == 2
        await ask(guard, n)
        await fleet.speak()
    await guard.aclose()
    view = await FleetReader(store, guard.overrides.now).look()
    assert view.day.requests == 4


async def test_a_long_outage_drops_what_is_oldest_and_says_so_once(
    policy: Policy, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speaker, "KEPT", 3)
    guard = Guard(policy)
    fleet = Fleet(guard)
    store = fleet.store = Away()
    store.away = True
    with caplog.at_level(logging.ERROR, "pumpguard"):
        for n in range(6):
            await ask(guard, n)
            await fleet.speak()
    store.away = False
    await guard.aclose()
    view = await FleetReader(store, guard.overrides.now).look()
    assert (view.day.requests, view.day.outcomes["dropped"], fleet.dropped) == (3, 3, 3)
    assert [each.message[:5] for each in caplog.records] == ["PG096"]


async def test_a_process_that_has_nothing_to_say_says_that_it_is_there(policy: Policy) -> None:
    guard = Guard(policy)
    fleet = Fleet(guard)
    await fleet.speak()
    view = await FleetReader(fleet.store or MemoryFleet(), guard.overrides.now).look()
    assert [(each.speaks, each.decided) for each in view.processes] == [(True, 0)]
    await guard.aclose()


async def test_a_simulated_guard_keeps_its_own_time() -> None:
    clock = FakeClock()
    policy = Policy(send="/s", rules=[RateLimit(name="limit", by="phone", limits="2/day")])
    guard = Guard(policy, clock=clock)
    fleet = Fleet(guard)
    await guard.assess(guard.attempt("+447400123456"))
    await fleet.speak()
    store: Any = fleet.store
    look = await store.look([int(clock.now) // 60 * 60])
    assert look.buckets[0]["c\tGB\tallow\tn"] == 1
    await guard.aclose()


async def test_what_is_said_names_nobody(guards: list[Guard], valkey_url: str) -> None:
    """Not in any key or value of the store."""
    import redis.asyncio

    fleet = Fleet(guards[0])
    for n in range(4):
        await ask(guards[0], n)
    await fleet.speak()
    async with redis.asyncio.Redis.from_url(valkey_url) as client:
        name = guards[0].policy.name
        text = json.dumps([
            [str(key), str(await client.hgetall(key)) if b"bans" not in key else ""]
            for key in await client.keys(f"pg1:{{{name}}}:fleet:*")
        ])  # fmt: skip
    assert "+447400123" in text
    assert "4001234" not in text
    assert ADDRESS not in text


async def test_a_right_that_is_missing_is_said(
    policy: Policy, servers: dict[str, EmbeddedServer], name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Once an hour; requests are decided all the same."""
    rights = ["+eval", "+evalsha", "+time", "+get", "+mget", "+set", "+info"]
    with Redis.from_url(servers["valkey"].url) as client:
        client.acl_setuser(name, enabled=True, passwords="+secret", keys=["pg1:*"], commands=rights)
        url = servers["valkey"].url.replace("unix://", f"unix://{name}:secret@")
        guard = Guard(policy, url)
        fleet = Fleet(guard)
        for n in range(3):
            await ask(guard, n)
            await fleet.speak()
        await guard.aclose()
        client.acl_deluser(name)
    said = [each.message for each in caplog.records if "PG097" in each.message]
    assert len(said) == 1
    assert "the store does not take the fleet's counts" in said[0]


def test_a_second_event_loop_is_spoken_from_as_well(policy: Policy, valkey_url: str) -> None:
    """Such as one task of a queue after the other."""

    async def one(n: int) -> None:
        await ask(guard, n)
        await fleet.speak()
        await guard.store.aclose()

    guard = Guard(policy, valkey_url)
    fleet = Fleet(guard)
    for n in range(3):
        asyncio.run(one(n))

    async def seen() -> int:
        desk = desk_of(guard)
        assert desk is not None
        view = await desk.reader.look()
        await guard.aclose()
        return view.hour.requests

    assert asyncio.run(seen()) == 3
