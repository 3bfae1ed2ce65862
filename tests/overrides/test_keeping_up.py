"""How a process keeps up with overrides: no decision by old ones, and at what cost."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest
from redis import Redis

from pumpguard import Action, Guard, Policy, StoreError
from pumpguard.engine import decide
from pumpguard.intake.network import UnknownNetworks
from pumpguard.overrides import sync
from pumpguard.overrides.posture import Posture
from pumpguard.rules import Number, RateLimit, SlidingBan
from pumpguard.store.base import Answer, Question
from pumpguard.store.memory import MemoryStore
from pumpguard.store.overrides import MemoryOverrides
from pumpguard.testing import make_attempt
from tests.conftest import PATIENT, script_calls

LIMIT = RateLimit(by="phone", limits="50/hour")
UNALLOCATED = "+441111111111"


class CountedOverrides(MemoryOverrides):
    """Overrides that count their readings, and are away when told so."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0
        self.away = False

    async def read_if_changed(self, known: bytes) -> bytes | None:
        self.reads += 1
        await asyncio.sleep(0)
        if self.away:
            raise StoreError("away")
        return await super().read_if_changed(known)


class Counted(MemoryStore):
    """A store that counts its trips."""

    def __init__(self) -> None:
        super().__init__()
        self.overrides: CountedOverrides = CountedOverrides()
        self.trips = 0

    async def decide(self, question: Question) -> Answer:
        self.trips += 1
        return await super().decide(question)


def processes(store: Counted, n: int = 2, **policy: object) -> list[Guard]:
    """Several guards of one policy, as several processes have them."""
    made: dict[str, Any] = {"rules": [Number(), LIMIT], "deadline": PATIENT, **policy}
    return [Guard(Policy(send="/s", **made), store, networks=UnknownNetworks()) for _ in range(n)]


async def send(guard: Guard, phone: str = "+447400123456") -> Action:
    return (await guard.assess(make_attempt(phone))).action


async def test_without_orders_nothing_is_read() -> None:
    """A decision asks the store once, and hears by the way that nothing has changed."""
    store = Counted()
    (guard,) = processes(store, 1)
    for _ in range(10):
        await send(guard)
    assert (store.trips, store.overrides.reads) == (10, 0)


async def test_a_change_costs_each_process_two_trips_once() -> None:
    """The question that meets it, the reading, and the question again; then one as always."""
    store = Counted()
    here, there = processes(store)
    assert await send(there) is Action.ALLOW
    await here.overrides.posture("challenge_all", author="mike")
    store.trips = store.overrides.reads = 0
    assert await send(there) is Action.CHALLENGE
    assert (store.trips, store.overrides.reads) == (1, 1)  # then refused without asking
    await here.overrides.allow("number", "+447400123456", author="mike")
    store.trips = store.overrides.reads = 0
    await asyncio.sleep(sync.MAX_AGE * 1.1)
    for _ in range(5):
        assert await send(there) is Action.ALLOW
    assert (store.trips, store.overrides.reads) == (5, 1)


async def test_all_who_meet_a_change_at_once_share_one_reading() -> None:
    """A thousand requests in flight do not become a thousand readings."""
    store = Counted()
    here, there = processes(store)
    await here.overrides.posture("closed", author="mike")
    store.overrides.reads = 0
    actions = await asyncio.gather(*(send(there) for _ in range(100)))
    assert actions == [Action.THROTTLE] * 100
    assert store.overrides.reads == 1


async def test_what_is_refused_without_asking_keeps_no_process_ignorant(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An unallocated number costs no trip; when nothing was heard for half a second, one look."""
    now = 1_000.0
    for module in (sync, decide):
        monkeypatch.setattr(module, "monotonic", lambda: now)
    store = Counted()
    here, there = processes(store)
    assert await send(there) is Action.ALLOW
    await here.overrides.allow("number", UNALLOCATED, author="mike")
    store.trips = store.overrides.reads = 0
    for _ in range(5):
        assert await send(there, UNALLOCATED) is Action.BLOCK
    assert (store.trips, store.overrides.reads) == (0, 0)
    now += sync.MAX_AGE + 0.01
    assert await send(there, UNALLOCATED) is Action.ALLOW
    assert (store.trips, store.overrides.reads) == (1, 1)


async def test_closed_opens_again_without_a_decision_to_tell_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """While it is closed nobody asks the store to decide; it is looked at twice a second."""
    now = 1_000.0
    for module in (sync, decide):
        monkeypatch.setattr(module, "monotonic", lambda: now)
    store = Counted()
    here, there = processes(store)
    await here.overrides.posture("closed", author="mike")
    assert await send(there) is Action.THROTTLE
    store.trips = store.overrides.reads = 0
    for _ in range(40):
        assert await send(there) is Action.THROTTLE
        now += 0.1
    assert store.trips == 0
    assert 5 <= store.overrides.reads <= 8
    await here.overrides.posture("normal", author="mike")
    now += sync.MAX_AGE + 0.01
    assert await send(there) is Action.ALLOW


async def test_a_known_ban_is_no_hiding_place_for_old_orders(valkey_url: str, name: str) -> None:
    """A subject whose ban this process remembers is allowed as soon as it is on the list."""
    ban = SlidingBan(strikes="1/hour", after=["limit"])
    policy = Policy(
        send="/s",
        rules=[RateLimit(name="limit", by="phone", limits="1/hour"), ban],
        name=name,
        deadline=PATIENT,
    )
    async with Guard(policy, valkey_url) as here, Guard(policy, valkey_url) as there:
        actions = [await send(there) for _ in range(3)]
        assert actions == [Action.ALLOW, Action.BLOCK, Action.BLOCK]
        await here.overrides.allow("number", "+447400123456", author="mike")
        await asyncio.sleep(sync.MAX_AGE * 1.1)
        assert await send(there) is Action.ALLOW


async def test_orders_hold_while_the_store_is_away() -> None:
    """Those that are known; looking for others costs no request more than one fault."""
    store = Counted()
    (guard,) = processes(store, 1)
    await guard.overrides.posture("closed", author="mike")
    assert await send(guard) is Action.THROTTLE
    store.overrides.away = True
    store.overrides.reads = 0
    for _ in range(20):
        assert await send(guard) is Action.THROTTLE
    assert store.overrides.reads <= 1


async def test_orders_that_cannot_be_learnt_are_an_outage(caplog: pytest.LogCaptureFixture) -> None:
    """There are new ones, and they cannot be read: decided without the store, as policies say."""
    store = Counted()
    here, there = processes(store)
    await here.overrides.posture("closed", author="mike")
    store.overrides.away = True
    decision = await there.assess(make_attempt())
    assert decision.degraded
    (closed,) = processes(store, 1, on_store_failure="closed")
    assert await send(closed) is Action.THROTTLE


async def test_orders_outlive_the_loss_of_the_server(
    valkey_url: str, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A failover to a server that knows less, or none: a kill switch is not lost with it."""
    policy = Policy(send="/s", rules=[LIMIT], name=name, deadline=PATIENT)
    async with Guard(policy, valkey_url) as guard:
        await guard.overrides.posture("challenge_all", author="mike")
        assert (await guard.assess(make_attempt(proved=True))).allowed
        with Redis.from_url(valkey_url) as server:
            server.delete(f"pg1:{{{name}}}:overrides", f"pg1:{{{name}}}:overrides:text")
        with caplog.at_level(logging.WARNING):
            assert (await guard.assess(make_attempt(proved=True))).allowed
            assert await send(guard) is Action.CHALLENGE
        assert "PG041" in caplog.text
        async with Guard(policy, valkey_url) as newcomer:
            assert await send(newcomer) is Action.CHALLENGE


async def test_orders_that_cannot_be_read_leave_those_that_are_known(
    valkey_url: str, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Said once, and not a trip more per request."""
    policy = Policy(send="/s", rules=[LIMIT], name=name, deadline=PATIENT)
    async with Guard(policy, valkey_url) as guard:
        await guard.overrides.posture("challenge_all", author="mike")
        assert await send(guard) is Action.CHALLENGE
        known = await guard.store.overrides.read()
        await guard.store.overrides.write(known[:6], b'{"format": 2}')
        assert [await send(guard) for _ in range(3)] == [Action.CHALLENGE] * 3
        decisions = [await guard.assess(make_attempt(proved=True)) for _ in range(3)]
    assert all(decision.allowed and not decision.degraded for decision in decisions)
    assert caplog.text.count("PG042 overrides cannot be read") == 1
    assert "format: expected 1, got 2" in caplog.text


@pytest.mark.parametrize("phone", ["+447400123456", "+33612345678", "+12015550123"])
async def test_every_shard_obeys(valkey_url: str, name: str, phone: str) -> None:
    """Whichever of them a destination belongs to."""
    policy = Policy(send="/s", rules=[LIMIT], name=name, shards=4, deadline=PATIENT)
    async with Guard(policy, valkey_url) as here, Guard(policy, valkey_url) as there:
        assert await send(there, phone) is Action.ALLOW
        await here.overrides.posture("closed", author="mike")
        assert await send(there, phone) is Action.THROTTLE


async def test_a_shard_that_was_missed_is_a_matter_of_half_a_second(
    valkey_url: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever gave the order ended after the first shard; nobody waits for the others to hear."""
    now = 1_000.0
    for module in (sync, decide):
        monkeypatch.setattr(module, "monotonic", lambda: now)
    policy = Policy(send="/s", rules=[LIMIT], name=name, shards=4, deadline=PATIENT)
    async with Guard(policy, valkey_url) as here, Guard(policy, valkey_url) as there:
        phone = "+33612345678"  # of the third shard
        assert await send(there, phone) is Action.ALLOW
        await here.overrides.posture("closed", author="mike")
        with Redis.from_url(valkey_url) as server:
            for i in (1, 2, 3):
                server.delete(f"pg1:{{{name}-{i}}}:overrides", f"pg1:{{{name}-{i}}}:overrides:text")
        await there.settled()
        assert await send(there, phone) is Action.ALLOW
        now += sync.MAX_AGE + 0.01
        await send(there, phone)
        await there.settled()
        assert await send(there, phone) is Action.THROTTLE


async def test_with_orders_in_place_a_request_is_still_one_trip(valkey_url: str, name: str) -> None:
    """Counted by the server: a posture, a country's and a list, and nothing more per request."""
    policy = Policy(send="/s", rules=[LIMIT], name=name, deadline=PATIENT)
    async with Guard(policy, valkey_url) as guard:
        await guard.overrides.posture("challenge_all", author="mike")
        await guard.overrides.posture("known_only", country="FR", author="mike")
        await guard.overrides.allow("number", "+447400123456", author="mike")
        await guard.assess(make_attempt(proved=True))
        await guard.check()
        with Redis.from_url(valkey_url) as server:
            server.config_resetstat()
            decisions = [await guard.assess(make_attempt()) for _ in range(100)]
            calls = script_calls(server.info("commandstats"))
    assert {decision.allowed_because for decision in decisions} == {"listed"}
    assert calls == 100


class Hanging(CountedOverrides):
    """Overrides whose reading never ends."""

    async def read_if_changed(self, known: bytes) -> bytes | None:
        await asyncio.Event().wait()
        raise AssertionError


@pytest.mark.parametrize("outdated", [False, True])
async def test_a_reading_that_hangs_costs_no_more_than_the_deadline(outdated: bool) -> None:
    """What was decided stands; what could not be decided is decided without the store."""
    store = Counted()
    store.overrides = Hanging()
    if outdated:
        await store.overrides.write(b"", b"{}")
    (guard,) = processes(store, 1, deadline=0.05)
    async with asyncio.timeout(PATIENT):
        decision = await guard.assess(make_attempt("+447400123456" if outdated else UNALLOCATED))
    assert decision.degraded == outdated
    assert decision.allowed == outdated
    assert guard._sync._task is not None
    guard._sync._task.cancel()


async def test_while_the_store_is_away_nobody_looks_for_orders() -> None:
    """Whoever has just found it away has found out enough."""

    class Away(Counted):
        async def decide(self, question: Question) -> Answer:
            raise StoreError("away")

    store = Away()
    (guard,) = processes(store, 1)
    assert (await guard.assess(make_attempt())).degraded
    assert store.overrides.reads == 0


async def turns(until: Callable[[], bool]) -> None:
    """Let the event loop go round until then."""
    for _ in range(10_000):
        if until():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("in vain")


async def test_what_is_lifted_is_heard_without_a_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that saw none, and then loses the store, goes on by what it heard last."""

    class Leaving(Counted):
        gone = False

        async def decide(self, question: Question) -> Answer:
            if self.gone:
                raise StoreError("away")
            return await super().decide(question)

    monkeypatch.setattr(sync, "WATCHED", 0.0)
    store = Leaving()
    here, there = processes(store)
    await here.overrides.posture("closed", author="mike")
    assert await send(there) is Action.THROTTLE
    await here.overrides.posture("normal", author="mike")
    await turns(lambda: there._sync.current.document.fleet(0) is Posture.NORMAL)
    store.gone = store.overrides.away = True
    assert await send(there) is Action.ALLOW
    await here.aclose()
    await there.aclose()


async def test_where_nothing_stands_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once the last override is over, or where there was none."""
    monkeypatch.setattr(sync, "WATCHED", 0.0)
    store = Counted()
    (guard,) = processes(store, 1)
    await guard.overrides.allow("number", "+447400123456", author="mike")
    await send(guard)
    await guard.overrides.remove("number", "+447400123456")
    await turns(lambda: guard._sync.current.empty)
    await guard.settled()
    store.overrides.reads = 0
    for _ in range(100):
        await asyncio.sleep(0)
    assert store.overrides.reads == 0
    await guard.aclose()
