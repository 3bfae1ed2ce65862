"""What only the memory store promises: bounded, and safe when full."""

from __future__ import annotations

import asyncio
import gc
from collections import defaultdict
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpguard import Guard, Policy
from pumpguard.counters import Reading
from pumpguard.intake.network import UnknownNetworks
from pumpguard.outcomes import DAY
from pumpguard.rules import RateLimit
from pumpguard.store.base import Refusal
from pumpguard.store.memory import LOOKED_AT, MemoryStore, StoreFull
from pumpguard.testing import FakeClock, make_attempt
from tests.store.asking import START, ask, ban, neighbours, question, window


async def test_a_full_store_refuses_rather_than_forgets() -> None:
    """Forgetting a live counter would admit too much."""
    store = MemoryStore(requests=3)
    for subject in "abc":
        await ask(store, window(1, subject=subject))
    with pytest.raises(StoreFull):
        await ask(store, window(1, subject="d"))
    assert not (await ask(store, window(1, subject="a"))).admitted


async def test_what_is_kept_does_not_occupy_the_garbage_collector() -> None:
    """An outage must not stop the event loop by the number of subjects that it met."""
    store = MemoryStore()
    for at in (0, 1, 2):
        counters = window(5), window(50, rule="wide"), neighbours(at), ban(30, "attempts")
        await ask(store, *counters, ban(5, "attempts", "b"), at=at)
    for _ in range(4):  # a tuple in a tuple takes one more
        gc.collect()
    assert len(store) == 4
    assert not [kept for kept in store._kept.items() if any(map(gc.is_tracked, kept))]


async def test_what_has_expired_makes_room() -> None:
    """Memory is reclaimed when it is needed, a tenth later than by the window."""
    store = MemoryStore(requests=3)
    for subject in "abc":
        await ask(store, window(1, subject=subject), at=0)
    assert (await ask(store, window(1, subject="d"), at=66)).admitted
    assert len(store) == 1


async def test_strikes_without_a_ban_are_forgotten_first() -> None:
    """A flood of refusals from many networks cannot crowd out what was admitted."""
    store = MemoryStore(requests=5)
    await ask(store, window(1, subject="real"))
    for i in range(20):
        await ask(
            store, ban(3, "number", f"bot-{i}"), refused=True, refused_by=frozenset({"number"})
        )
    assert len(store) <= 5
    assert not (await ask(store, window(1, subject="real"))).admitted


async def test_so_are_strikes_that_were_told_together() -> None:
    """A call about many requests creates no more than they would, and makes no place wider."""
    store, full = MemoryStore(requests=5), {0: Reading(1, 100.0)}
    await ask(store, window(1, subject="real"))
    limited = [
        question(window(1, rule="country"), ban(3, "country", f"bot-{i}")) for i in range(20)
    ]
    for first in range(0, 20, 4):
        await store.refuse([Refusal(each, full) for each in limited[first : first + 4]])
    assert len(store) <= 5 * 2  # each has a place for what is full and one for its strikes
    assert not (await ask(store, window(1, subject="real"))).admitted


async def test_who_is_struck_again_when_all_is_full_keeps_within_the_bound() -> None:
    """Though its strikes are forgotten in the same step."""
    store = MemoryStore(requests=2)
    struck: dict[str, Any] = {"refused": True, "refused_by": frozenset({"number"})}
    for subject in ("one", "two"):
        await ask(store, ban(3, "number", subject), **struck)
    both = ban(3, "number", "one"), ban(3, "number", "three")
    await ask(store, *both, at=1, **struck)
    assert len(store) == 3
    both = ban(3, "number", "one"), ban(3, "number", "four")
    for at in (2, 3):
        await ask(store, *both, at=at, **struck)
    assert len(store) == 4  # two requests of two places each
    both = ban(3, "number", "one"), ban(3, "number", "five")
    await ask(store, *both, at=4, **struck)
    assert len(store) == 4


async def test_bans_survive_a_flood_of_strikes() -> None:
    """A live ban is never forgotten."""
    store = MemoryStore(requests=4)
    struck: dict[str, Any] = {"refused": True, "refused_by": frozenset({"number"})}
    await ask(store, ban(1, "number", "offender"), **struck)
    for i in range(20):
        await ask(store, ban(3, "number", f"bot-{i}"), **struck)
    assert not (await ask(store, ban(1, "number", "offender"), at=1)).admitted


async def test_what_does_not_fit_is_not_written_in_part() -> None:
    """All of a request's counters, or none."""
    store = MemoryStore(requests=1)
    both = window(5), neighbours(1)
    assert (await ask(store, *both)).admitted
    kept = dict(store._kept)
    with pytest.raises(StoreFull):
        await ask(store, window(5), neighbours(1, subject="elsewhere"))
    assert store._kept == kept
    assert (await ask(store, *both)).admitted


async def test_its_size_is_in_requests(name: str) -> None:
    """As many strangers as it says have room, with all the counters that the default rules keep."""
    store = MemoryStore(requests=20)
    guard = Guard(Policy(send="/send", settled=True), store, networks=UnknownNetworks())
    strangers = [(f"+44740{n * 97_531:07}", f"86.{n}.7.1") for n in range(60)]
    decisions = [await guard.assess(guard.attempt(*stranger)) for stranger in strangers]
    degraded = [decision.degraded for decision in decisions]
    assert not any(degraded[:20])
    assert all(degraded[-5:])
    assert not any(decision.allowed for decision in decisions if decision.degraded)


async def test_a_full_store_never_admits_more_than_the_limit(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nor does a second one beside it; whoever is counted already keeps their limits, and the log
    says why strangers are refused."""
    clock = FakeClock(START)
    guard = Guard(
        Policy(send="/send", rules=[RateLimit(name="limit", by="phone", limits="3/hour")]),
        MemoryStore(requests=2, clock=clock),
        networks=UnknownNetworks(),
    )
    known, stranger = make_attempt("+447400000001"), make_attempt("+447400000003")
    for attempt in (known, make_attempt("+447400000002")):
        assert (await guard.assess(attempt)).allowed
    assert [(await guard.assess(stranger)).allowed for _ in range(5)] == [False] * 5
    assert [(await guard.assess(known)).allowed for _ in range(5)] == [True] * 2 + [False] * 3
    assert caplog.text.count("PG009") == 1
    clock.advance(2 * DAY)
    assert [(await guard.assess(stranger)).allowed for _ in range(5)] == [True] * 3 + [False] * 2


async def test_a_full_store_looks_at_a_few_places_for_each_request() -> None:
    """A sweep through all of them would stop the event loop, in the middle of an attack."""
    size = 10 * LOOKED_AT
    store = MemoryStore(requests=size)
    for subject in range(size):
        await ask(store, window(1, subject=str(subject)))
    before = list(store._queue)
    for requests in range(1, 5):
        with pytest.raises(StoreFull):
            await ask(store, window(1, subject="stranger"))
        at = requests * LOOKED_AT
        assert list(store._queue) == before[at:] + before[:at]


async def test_what_has_expired_is_forgotten_on_the_way() -> None:
    """However much room there is: memory goes with who is counted now, not with who ever was."""
    store = MemoryStore(requests=1_000_000)
    for second in range(2_000):
        await ask(store, window(1, subject=str(second)), at=second)
    assert len(store) < 2 * 66 + 2
    assert len(store._queue) == len(store)


@given(st.lists(st.tuples(st.integers(0, 6), st.booleans(), st.integers(0, 40)), max_size=80))
def test_whatever_happens_to_a_full_store(steps: list[tuple[int, bool, int]]) -> None:
    """It keeps within its room, knows what it keeps, and admits no subject too often."""
    store, now, admitted = MemoryStore(requests=3), START, defaultdict[int, list[float]](list)
    room = 3 * 2  # each has a place for its window and one for its strikes
    for subject, refused, wait in steps:
        now += wait
        counters = window(2, subject=str(subject)), ban(2, "number", str(subject))
        struck = frozenset({"number"}) if refused else frozenset[str]()
        asked = replace(question(*counters), refused=refused, refused_by=struck, at=now)
        try:
            if store.decide_now(asked).admitted:
                admitted[subject].append(now)
        except StoreFull:
            assert len(store) > room - len(counters)
        assert len(store) <= room
        assert set(store._queue) == store._kept.keys() | store._gone
        assert len(store._queue) == len(store._kept) + len(store._gone)
        assert store._struck.keys() <= store._kept.keys()
    for times in admitted.values():
        assert all(later - first >= 60 for first, later in zip(times, times[2:], strict=False))


async def test_threads_wait_for_each_other() -> None:
    """No two of them may read before either has written."""
    store = MemoryStore()
    asked = question(window(25))

    def ask_often() -> int:
        return sum(store.decide_now(asked).admitted for _ in range(20))

    assert sum(await asyncio.gather(*(asyncio.to_thread(ask_often) for _ in range(4)))) == 25


async def test_its_own_clock_decides_when_none_is_given() -> None:
    """In production the store tells the time; tests give it a clock."""
    clock = FakeClock(START)
    store = MemoryStore(clock=clock)
    timeless = replace(question(window(1)), at=None)
    assert (await store.decide(timeless)).admitted
    assert not (await store.decide(timeless)).admitted
    clock.advance(60)
    assert (await store.decide(timeless)).admitted
