"""The breaker: outages are paid for by a few requests, not by all."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from pumpguard.counters import Known, Tickets
from pumpguard.counters.plan import Plan
from pumpguard.errors import StoreError
from pumpguard.store.base import Answer, Question, Redeemed, Redemption, Settlement
from pumpguard.store.in_front import FAULTS, Breaker
from pumpguard.store.overrides import MemoryOverrides
from pumpguard.testing import FakeClock

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


async def outage(breaker: Breaker, requests: int) -> None:
    for _ in range(requests):
        with pytest.raises(StoreError):
            await breaker.decide(QUESTION)


async def test_it_opens_after_five_faults_in_a_row() -> None:
    """From then on nobody waits for the store."""
    store, clock = Flaky(), FakeClock()
    breaker = Breaker(store, clock)
    store.away = True
    await outage(breaker, 100)
    assert store.asked == FAULTS


async def test_an_answer_in_between_starts_the_count_anew() -> None:
    """Single faults are no outage."""
    store = Flaky()
    breaker = Breaker(store, FakeClock())
    for _ in range(20):
        store.away = True
        await outage(breaker, FAULTS - 1)
        store.away = False
        await breaker.decide(QUESTION)


async def test_one_probe_at_a_time_and_ever_longer_pauses() -> None:
    """After 1 s one question goes through; while it fails the pause doubles, up to 8 s."""
    store, clock = Flaky(), FakeClock()
    breaker = Breaker(store, clock)
    store.away = True
    await outage(breaker, FAULTS)
    for pause in (1, 2, 4, 8, 8):
        asked = store.asked
        clock.advance(pause - 0.001)
        await outage(breaker, 10)
        assert store.asked == asked
        clock.advance(0.001)
        await outage(breaker, 10)
        assert store.asked == asked + 1


async def test_while_a_probe_is_out_the_others_fail_at_once() -> None:
    """A hung store is probed by one request, not by all that arrive meanwhile."""
    store, clock = Flaky(), FakeClock()
    breaker = Breaker(store, clock)
    store.away = True
    await outage(breaker, FAULTS)
    clock.advance(1)
    store.hold = asyncio.Event()
    probe = asyncio.create_task(breaker.decide(QUESTION))
    await asyncio.sleep(0)
    await outage(breaker, 20)
    assert store.asked == FAULTS + 1
    store.away = False
    store.hold.set()
    assert (await probe).admitted


async def test_the_first_answer_closes_it() -> None:
    """Recovery needs no restart."""
    store, clock = Flaky(), FakeClock()
    breaker = Breaker(store, clock)
    store.away = True
    await outage(breaker, FAULTS)
    store.away = False
    clock.advance(1)
    for _ in range(10):
        assert (await breaker.decide(QUESTION)).admitted


async def test_a_cancelled_probe_lets_the_next_one_through() -> None:
    """A client that hangs up must not leave the breaker open for ever."""
    store, clock = Flaky(), FakeClock()
    breaker = Breaker(store, clock)
    store.away = True
    await outage(breaker, FAULTS)
    clock.advance(1)
    store.hold = asyncio.Event()
    probe = asyncio.create_task(breaker.decide(QUESTION))
    await asyncio.sleep(0)
    probe.cancel()
    with pytest.raises(asyncio.CancelledError):
        await probe
    store.hold, store.away = None, False
    assert (await breaker.decide(QUESTION)).admitted


async def test_closing_closes_the_store_behind() -> None:
    """The breaker owns nothing itself."""
    store = Flaky()
    await Breaker(store).aclose()
    assert store.asked == -1


async def test_outcomes_are_not_told_to_a_store_that_is_away() -> None:
    """They fail at once, like questions; an answer to a question is what closes the breaker."""
    store, clock = Flaky(), FakeClock()
    breaker = Breaker(store, clock)
    assert await breaker.settle([]) == 0
    store.away = True
    await outage(breaker, FAULTS)
    asked = store.asked
    for _ in range(10):
        with pytest.raises(StoreError):
            await breaker.settle([])
        with pytest.raises(StoreError):
            await breaker.redeem(Redemption("+441", Known("t"), Tickets("t")))
    assert store.asked == asked
