"""A request that anything refuses is charged nowhere; in every store."""

from __future__ import annotations

import asyncio

import pytest

from pumpguard.store.base import Store
from tests.store.asking import ask, ban, distinct, neighbours, watched, window


async def test_one_full_window_keeps_all_others_uncharged(store: Store) -> None:
    """The refused do not drain what everybody shares."""
    shared = window(100, subject="everything", rule="shared")
    await ask(store, window(1), shared)
    for _ in range(50):
        await ask(store, window(1), distinct("GB"), neighbours(7), shared)
    answer = await ask(store, window(1, subject="b"), shared)
    assert answer.readings[1].used == 1


async def test_a_rule_that_spoke_already_keeps_everything_uncharged(store: Store) -> None:
    """A refusal from the request alone charges no admission either."""
    for _ in range(5):
        assert not (await ask(store, window(1), refused=True)).admitted
    assert (await ask(store, window(1))).readings[0].used == 0


async def test_everything_is_read_even_when_something_refuses(store: Store) -> None:
    """All findings come from one trip: the second full window is seen beside the first."""
    both = window(1, rule="first"), window(1, rule="second")
    await ask(store, *both)
    answer = await ask(store, *both)
    assert [reading.full for reading in answer.readings.values()] == [True, True]


async def test_refusals_create_no_new_subjects(store: Store) -> None:
    """A flood of refused requests for other people's numbers leaves no trace of them."""
    await ask(store, window(1))
    for i in range(20):
        await ask(store, window(1), window(5, subject=f"victim-{i}", rule="victim"))
    answer = await ask(store, window(5, subject="victim-3", rule="victim"))
    assert answer.readings[0].used == 0


@pytest.mark.parametrize("limit", [1, 10, 25])
async def test_parallel_requests_admit_exactly_the_limit(store: Store, limit: int) -> None:
    """However many are in flight together."""
    answers = await asyncio.gather(
        *(ask(store, window(limit), distinct("GB"), ban(strikes=500)) for _ in range(200))
    )
    assert sum(answer.admitted for answer in answers) == limit


async def test_a_question_without_counters_is_admitted(store: Store) -> None:
    """Entries that do not bind, and nothing refused: nothing stands against it."""
    assert (await ask(store, watched(window(1)))).admitted
