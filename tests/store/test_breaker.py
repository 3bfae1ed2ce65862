"""The breaker: outages are paid for by a few requests, not by all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import pytest

from pumpguard.counters import Known, Tickets
from pumpguard.counters.plan import Plan
from pumpguard.errors import StoreError
from pumpguard.store.base import Answer, Question, Redeemed, Redemption, Settlement
from pumpguard.store.in_front import FAULTS, Breaker
from pumpguard.store.overrides import MemoryOverrides

QUESTION = Question(Plan((), ()), ())


class Flaky:
    """A store that is away when told so, and counts how often it was asked."""

    def __init__(self) -> None:
        self.overrides = MemoryOverrides()
        self.away = False
        self.asked = 0
        self.hold: asyncio.Event | None = None

    async def decide(self, question: Question) -> Answer:
        self.asked += 1
        if self.hold is not None:
            await self.hold.wait()
        if self.away:
            raise StoreError("away")
        return Answer(True, {}, 0.0)

    async def redeem(self, redemption: Redemption) -> Redeemed:
        await self.decide(QUESTION)
        return Redeemed(False, 0, ())

    async def settle(self, settlements: Sequence[Settlement]) -> int:
        await self.decide(QUESTION)
        return len(settlements)

    async def remember(self, name: str, text: str, seconds: int, at: float | None = None) -> None:
        await self.decide(QUESTION)

    async def recall(self, name: str, at: float | None = None) -> str | None:
        await self.decide(QUESTION)
        return None

    async def aclose(self) -> None:
        self.asked = -1


class Probing:
    """A probe that finds the store when the test says so."""

    def __init__(self) -> None:
        self.found: Callable[[], None] | None = None
        self.begun = 0

    def begin(self, found: Callable[[], None]) -> None:
        self.begun += 1
        self.found = found

    def end(self) -> None:
        self.found = None

    def finds(self) -> None:
        assert self.found is not None
        self.found()


async def outage(breaker: Breaker, requests: int) -> None:
    for _ in range(requests):
        with pytest.raises(StoreError):
            await breaker.decide(QUESTION)


async def opened() -> tuple[Flaky, Probing, Breaker]:
    """A breaker that a store has opened that is away."""
    store, probe = Flaky(), Probing()
    breaker = Breaker(store, probe)
    store.away = True
    await outage(breaker, FAULTS)
    return store, probe, breaker


async def test_it_opens_after_five_faults_in_a_row() -> None:
    """From then on nobody waits for the store, however long it takes."""
    store, probe, breaker = await opened()
    await outage(breaker, 100)
    assert store.asked == FAULTS
    assert probe.begun == 1


async def test_an_answer_in_between_starts_the_count_anew() -> None:
    """Single faults are no outage."""
    store, probe = Flaky(), Probing()
    breaker = Breaker(store, probe)
    for _ in range(20):
        store.away = True
        await outage(breaker, FAULTS - 1)
        store.away = False
        await breaker.decide(QUESTION)
    assert not probe.begun


async def test_many_calls_that_one_fault_has_ended_are_one_fault() -> None:
    """A connection breaks under 200 requests: the store may be as well as ever."""
    store, probe = Flaky(), Probing()
    breaker = Breaker(store, probe)
    store.away, store.hold = True, asyncio.Event()
    calls = [asyncio.create_task(breaker.decide(QUESTION)) for _ in range(200)]
    await asyncio.sleep(0)
    store.hold.set()
    faults = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(fault) for fault in faults} == {StoreError}
    store.away = False
    assert (await breaker.decide(QUESTION)).admitted
    assert not probe.begun


async def test_the_first_answer_after_the_probe_closes_it() -> None:
    """Recovery needs no restart, and a later outage is counted anew."""
    store, probe, breaker = await opened()
    store.away = False
    probe.finds()
    for _ in range(10):
        assert (await breaker.decide(QUESTION)).admitted
    assert probe.found is None
    store.away = True
    asked = store.asked
    await outage(breaker, 100)
    assert store.asked == asked + FAULTS
    assert probe.begun == 2


async def test_one_fault_after_the_probe_opens_it_again() -> None:
    """The store takes what the probe asks, and not what a question does: a moving slot."""
    store, probe, breaker = await opened()
    for begun in (2, 3, 4):
        asked = store.asked
        probe.finds()
        await outage(breaker, 10)
        assert store.asked == asked + 1
        assert probe.begun == begun


async def test_while_it_is_half_open_nobody_is_turned_away() -> None:
    """The first questions wait together for a connection, in an event loop that has time for it."""
    store, probe, breaker = await opened()
    probe.finds()
    store.away, store.hold = False, asyncio.Event()
    calls = [asyncio.create_task(breaker.decide(QUESTION)) for _ in range(20)]
    await asyncio.sleep(0)
    store.hold.set()
    assert all(answer.admitted for answer in await asyncio.gather(*calls))


async def test_an_answer_that_was_on_its_way_closes_it() -> None:
    """The server was only slow: its first word is enough."""
    store, probe = Flaky(), Probing()
    breaker = Breaker(store, probe)
    store.hold = asyncio.Event()
    on_its_way = asyncio.create_task(breaker.decide(QUESTION))
    await asyncio.sleep(0)
    hold, store.hold, store.away = store.hold, None, True
    await outage(breaker, FAULTS)
    assert probe.begun == 1
    store.away = False
    hold.set()
    assert (await on_its_way).admitted
    assert (await breaker.decide(QUESTION)).admitted
    assert probe.found is None


async def test_a_cancelled_question_says_nothing() -> None:
    """A client that hangs up must not leave the breaker open for ever."""
    store, probe, breaker = await opened()
    probe.finds()
    store.hold = asyncio.Event()
    first = asyncio.create_task(breaker.decide(QUESTION))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    store.hold, store.away = None, False
    assert (await breaker.decide(QUESTION)).admitted


async def test_closing_closes_the_store_behind() -> None:
    """And asks it no more; used again, it begins anew."""
    store, probe, breaker = await opened()
    await breaker.aclose()
    assert store.asked == -1
    assert probe.found is None
    store.away = False
    assert (await breaker.decide(QUESTION)).admitted


async def test_outcomes_are_not_told_to_a_store_that_is_away() -> None:
    """They fail at once, like questions; once the probe has found it, an outcome may be the first
    that it answers."""
    store, probe, breaker = await opened()
    asked = store.asked
    for _ in range(10):
        with pytest.raises(StoreError):
            await breaker.settle([])
        with pytest.raises(StoreError):
            await breaker.redeem(Redemption("+441", Known("t"), Tickets("t")))
    assert store.asked == asked
    store.away = False
    probe.finds()
    assert await breaker.settle([]) == 0
    assert (await breaker.decide(QUESTION)).admitted
