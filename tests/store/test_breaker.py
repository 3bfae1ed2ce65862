"""The breaker: outages are paid for by a few requests, not by all."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import pytest

from pumpguard.errors import StoreError
from pumpguard.store.breaker import FAULTS, REFUSALS, Breaker, BreakerOpen, Probe


class Flaky:
    """A server that is away when told so, and counts how often it was asked."""

    def __init__(self) -> None:
        self.away = False
        self.asked = 0
        self.hold: asyncio.Event | None = None

    async def ask(self) -> str:
        self.asked += 1
        if self.hold is not None:
            await self.hold.wait()
        if self.away:
            raise StoreError("away")
        return "answered"


class Probing(Probe):
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


async def outage(store: Flaky, breaker: Breaker, requests: int) -> None:
    for _ in range(requests):
        with pytest.raises(StoreError):
            await breaker.run(store.ask)


async def opened() -> tuple[Flaky, Probing, Breaker]:
    """A breaker that a store has opened that is away."""
    store, probe = Flaky(), Probing()
    breaker = Breaker(probe)
    store.away = True
    await outage(store, breaker, FAULTS)
    return store, probe, breaker


async def test_it_opens_after_five_faults_in_a_row() -> None:
    """From then on nobody waits for the store, however long it takes."""
    store, probe, breaker = await opened()
    await outage(store, breaker, 100)
    assert store.asked == FAULTS
    assert probe.begun == 1


async def test_an_answer_in_between_starts_the_count_anew() -> None:
    """Single faults are no outage."""
    store, probe = Flaky(), Probing()
    breaker = Breaker(probe)
    for _ in range(20):
        store.away = True
        await outage(store, breaker, FAULTS - 1)
        store.away = False
        await breaker.run(store.ask)
    assert not probe.begun


async def test_many_calls_that_one_fault_has_ended_are_one_fault() -> None:
    """A connection breaks under 200 requests: the store may be as well as ever."""
    store, probe = Flaky(), Probing()
    breaker = Breaker(probe)
    store.away, store.hold = True, asyncio.Event()
    calls = [asyncio.create_task(breaker.run(store.ask)) for _ in range(200)]
    await asyncio.sleep(0)
    store.hold.set()
    faults = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(fault) for fault in faults} == {StoreError}
    store.away = False
    assert await breaker.run(store.ask) == "answered"
    assert not probe.begun


async def test_the_first_answer_after_the_probe_closes_it() -> None:
    """Recovery needs no restart, and a later outage is counted anew."""
    store, probe, breaker = await opened()
    store.away = False
    probe.finds()
    for _ in range(10):
        assert await breaker.run(store.ask) == "answered"
    store.away = True
    asked = store.asked
    await outage(store, breaker, 100)
    assert store.asked == asked + FAULTS
    assert probe.begun == 2


async def test_one_fault_after_the_probe_opens_it_again() -> None:
    """The store takes what the probe asks, and not what a question does: a moving slot."""
    store, probe, breaker = await opened()
    for begun in (2, 3, 4):
        asked = store.asked
        probe.finds()
        await outage(store, breaker, 10)
        assert store.asked == asked + 1
        assert probe.begun == begun


async def test_while_it_is_half_open_nobody_is_turned_away() -> None:
    """The first questions wait together for a connection, in an event loop that has time for it."""
    store, probe, breaker = await opened()
    probe.finds()
    store.away, store.hold = False, asyncio.Event()
    calls = [asyncio.create_task(breaker.run(store.ask)) for _ in range(20)]
    await asyncio.sleep(0)
    store.hold.set()
    assert await asyncio.gather(*calls) == ["answered"] * 20


async def test_an_answer_that_was_on_its_way_does_not_close_it() -> None:
    """It says what was true before; the probe is soon enough."""
    store, probe = Flaky(), Probing()
    breaker = Breaker(probe)
    store.hold = asyncio.Event()
    on_its_way = asyncio.create_task(breaker.run(store.ask))
    await asyncio.sleep(0)
    hold, store.hold, store.away = store.hold, None, True
    await outage(store, breaker, FAULTS)
    store.away = False
    hold.set()
    assert await on_its_way == "answered"
    await outage(store, breaker, 1)
    probe.finds()
    assert await breaker.run(store.ask) == "answered"


class Refusal(StoreError):
    """As of a server that takes no writes."""

    refused = True


async def test_a_server_that_refuses_most_calls_opens_it(caplog: pytest.LogCaptureFixture) -> None:
    """Those that write, while it answers others: an answer in between does not make it healthy."""
    probe = Probing()
    breaker = Breaker(probe)

    async def refuse() -> str:
        raise Refusal("READONLY")

    store = Flaky()
    for _ in range(2 * REFUSALS):
        for _ in range(2):
            with pytest.raises(StoreError):
                await breaker.run(refuse)
        with contextlib.suppress(BreakerOpen):
            await breaker.run(store.ask)
    assert probe.begun == 1
    assert caplog.text.count("PG010") == 1
    probe.finds()
    assert await breaker.run(store.ask) == "answered"
    assert caplog.text.count("PG011") == 1


async def test_a_few_refusals_do_not_open_it() -> None:
    """As while the slot of some keys moves."""
    store, probe = Flaky(), Probing()
    breaker = Breaker(probe)

    async def refuse() -> str:
        raise Refusal("TRYAGAIN")

    for _ in range(10 * REFUSALS):
        with pytest.raises(StoreError):
            await breaker.run(refuse)
        await breaker.run(store.ask)
        await breaker.run(store.ask)
    assert not probe.begun


async def test_a_cancelled_question_says_nothing() -> None:
    """A client that hangs up must not leave the breaker open for ever."""
    store, probe, breaker = await opened()
    probe.finds()
    store.hold = asyncio.Event()
    first = asyncio.create_task(breaker.run(store.ask))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    store.hold, store.away = None, False
    assert await breaker.run(store.ask) == "answered"


async def test_closed_it_asks_no_more() -> None:
    """Used again, it begins anew."""
    store, probe, breaker = await opened()
    breaker.close()
    assert probe.found is None
    store.away = False
    assert await breaker.run(store.ask) == "answered"
