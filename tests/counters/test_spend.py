"""Budgets: money in sliding windows, in every store."""

from __future__ import annotations

import random

import pytest

from pumpguard.counters import SLICES, Spend
from pumpguard.counters.plan import Plan
from pumpguard.decision import Action
from pumpguard.store.base import Question, Store
from pumpguard.store.memory import MemoryStore
from tests.store.asking import PHONE, ask, settle, spend, verify, watched, window


async def test_spends_up_to_its_limit_and_no_micro_dollar_more(store: Store) -> None:
    """Prices add up; the one that would exceed the limit is refused, a smaller one is not."""
    assert (await ask(store, spend(1_000), price=600)).admitted
    assert not (await ask(store, spend(1_000), price=401)).admitted
    assert (await ask(store, spend(1_000), price=400)).admitted
    answer = await ask(store, spend(1_000), price=1)
    assert answer.readings[0].used == 1_000
    assert not answer.admitted


async def test_a_refused_request_costs_nothing(store: Store) -> None:
    """Neither what the budget refuses nor what another counter does."""
    await ask(store, spend(1_000), window(1), price=300)
    for _ in range(5):
        assert not (await ask(store, spend(1_000), window(1), price=300)).admitted
        assert not (await ask(store, spend(1_000), price=900)).admitted
    assert (await ask(store, spend(1_000))).readings[0].used == 300


async def test_the_wait_ends_when_the_price_fits(store: Store) -> None:
    """Not before enough of it has left the window, and for a small price sooner than for a big."""
    await ask(store, spend(1_000), price=100, at=0)
    await ask(store, spend(1_000), price=900, at=50)
    small = (await ask(store, spend(1_000), price=100, at=60)).readings[0].wait
    big = (await ask(store, spend(1_000), price=101, at=60)).readings[0].wait
    assert 40 <= small <= 50 < 90 <= big <= 100
    assert not (await ask(store, watched(window(9)), spend(1_000), price=100, at=59.9)).admitted
    assert (await ask(store, spend(1_000), price=100, at=60 + small)).admitted


async def test_a_price_above_the_limit_waits_a_whole_window_in_vain(store: Store) -> None:
    """It never fits; the answer is a wait all the same."""
    answer = await ask(store, spend(1_000), price=1_001)
    assert not answer.admitted
    assert 100 <= answer.readings[0].wait <= 110


async def test_a_part_is_kept_for_numbers_that_are_known(store: Store) -> None:
    """Strangers stop at 800; somebody who has verified before gets through to 1,000."""
    budget = spend(1_000, reserved=200)
    assert (await ask(store, *PHONE, budget, price=800, ticket=b"1234")).admitted
    refused = await ask(store, *PHONE, budget, price=100, at=1)
    assert (refused.admitted, refused.known) == (False, False)
    await verify(store, at=2)
    admitted = await ask(store, *PHONE, budget, price=200, at=3)
    assert (admitted.admitted, admitted.known) == (True, True)
    assert not (await ask(store, *PHONE, budget, price=1, at=4)).admitted


async def test_one_sum_may_be_looked_at_with_several_limits(store: Store) -> None:
    """An alert at half, a challenge at 80 %, the end at all of it: one sum, charged once."""
    looks = (
        watched(spend(500, action=Action.ALLOW)),
        spend(800, action=Action.CHALLENGE),
        spend(1_000),
    )
    assert (await ask(store, *looks, price=500)).admitted
    answer = await ask(store, *looks, price=300, at=1)
    assert answer.admitted
    assert [answer.readings[i].used for i in range(3)] == [500, 500, 500]
    assert [answer.readings[i].full for i in range(3)] == [True, False, False]
    assert not (await ask(store, *looks, price=1, at=2)).admitted
    proved = (looks[0], watched(looks[1]), looks[2])
    assert (await ask(store, *proved, price=200, at=3)).admitted
    assert (await ask(store, *proved, price=1, at=4)).readings[0].used == 1_000


async def test_large_sums_are_exact(store: Store) -> None:
    """A hundred million dollars a month, to the micro-dollar."""
    limit = 10**14
    assert (await ask(store, spend(limit), price=limit - 1)).admitted
    assert not (await ask(store, spend(limit), price=2)).admitted
    assert (await ask(store, spend(limit), price=1)).admitted
    assert (await ask(store, spend(limit))).readings[0].used == limit


async def test_a_verified_message_has_been_paid_for_too(store: Store) -> None:
    """A budget is about what is spent; verifying gives nothing back."""
    await ask(store, *PHONE, spend(1_000), price=700, ticket=b"1234")
    await verify(store, spend(1_000), at=1)
    assert (await ask(store, spend(1_000), at=2)).readings[0].used == 700


async def test_nothing_is_settled_where_nothing_was_counted(store: Store) -> None:
    """An outcome for a subject that nobody knows of makes none."""
    assert await settle(store, spend(1_000), outcome="repeated", price=300, sent_at=0) == 1
    assert (await ask(store, spend(1_000))).readings[0].used == 0


SECONDS = 10
STEP = SECONDS / SLICES / 40


@pytest.mark.parametrize("seed", range(40))
def test_no_true_window_holds_more_than_the_limit(seed: int) -> None:
    """An adversary who knows the slices spends at their edges, in amounts that just fit."""
    chance = random.Random(seed)
    limit = 10_000
    plan, store = Plan([Spend("s", "x", limit, SECONDS)], [True]), MemoryStore()
    at, spent = 1_700_000_000.0 + chance.randrange(40) * STEP, list[tuple[float, int]]()
    for _ in range(600):
        at = round(at + STEP * chance.choice([0, 0, 1, 39, 40, 41, 200, 399, 400, 401]), 3)
        room = limit - sum(price for time, price in spent if time > at - SECONDS + 1e-9)
        for price in (limit, room, chance.randrange(1, limit), 1):
            question = Question(plan, ("me",), at=at, price=price)
            if store.decide_now(question).admitted:
                assert price <= room
                spent.append((at, price))
                room -= price
    assert sum(price for _, price in spent) > 2 * limit
