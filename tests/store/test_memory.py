"""What only the memory store promises: bounded, and safe when full."""

from __future__ import annotations

import asyncio
import gc
from dataclasses import replace
from typing import Any

import pytest

from pumpguard.store.memory import MemoryStore, StoreFull
from pumpguard.testing import FakeClock
from tests.store.asking import START, ask, ban, neighbours, question, window


async def test_a_full_store_refuses_rather_than_forgets() -> None:
    """Forgetting a live counter would admit too much."""
    store = MemoryStore(capacity=3)
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
    store = MemoryStore(capacity=3)
    for subject in "abc":
        await ask(store, window(1, subject=subject), at=0)
    assert (await ask(store, window(1, subject="d"), at=66)).admitted
    assert len(store) == 1


async def test_strikes_without_a_ban_are_forgotten_first() -> None:
    """A flood of refusals from many networks cannot crowd out what was admitted."""
    store = MemoryStore(capacity=5)
    await ask(store, window(1, subject="real"))
    for i in range(20):
        await ask(
            store, ban(3, "number", f"bot-{i}"), refused=True, refused_by=frozenset({"number"})
        )
    assert len(store) <= 5
    assert not (await ask(store, window(1, subject="real"))).admitted


async def test_who_is_struck_again_when_all_is_full_keeps_within_the_bound() -> None:
    """Though its strikes are forgotten in the same step."""
    store = MemoryStore(capacity=2)
    struck: dict[str, Any] = {"refused": True, "refused_by": frozenset({"number"})}
    for subject in ("one", "two"):
        await ask(store, ban(3, "number", subject), **struck)
    both = ban(3, "number", "one"), ban(3, "number", "three")
    await ask(store, *both, at=1, **struck)
    assert len(store) == 2


async def test_bans_survive_a_flood_of_strikes() -> None:
    """A live ban is never forgotten."""
    store = MemoryStore(capacity=4)
    struck: dict[str, Any] = {"refused": True, "refused_by": frozenset({"number"})}
    await ask(store, ban(1, "number", "offender"), **struck)
    for i in range(20):
        await ask(store, ban(3, "number", f"bot-{i}"), **struck)
    assert not (await ask(store, ban(1, "number", "offender"), at=1)).admitted


async def test_what_does_not_fit_is_not_written_in_part() -> None:
    """All of a request's counters, or none."""
    store = MemoryStore(capacity=1)
    with pytest.raises(StoreFull):
        await ask(store, window(1), neighbours(1))
    assert len(store) == 0


async def test_a_store_that_stays_full_is_not_swept_for_each_request() -> None:
    """That would stop the event loop by all that is kept, in the middle of an attack."""
    store = MemoryStore(capacity=1)
    await ask(store, window(1, subject="a"))
    kept = []
    for subject in "bcd":
        with pytest.raises(StoreFull):
            await ask(store, window(1, subject=subject))
        kept.append(store._kept)
    assert kept[0] is kept[1] is kept[2]
    assert (await ask(store, window(1, subject="d"), at=66)).admitted


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
