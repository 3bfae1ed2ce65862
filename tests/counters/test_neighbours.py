"""Neighbouring positions in a window, in every store."""

from __future__ import annotations

import pytest

from pumpguard.store.base import Store
from tests.store.asking import ask, neighbours


async def test_a_walk_is_stopped_after_the_limit(store: Store) -> None:
    """…1, …2 pass; …3 has two neighbours and does not."""
    answers = [await ask(store, neighbours(place)) for place in (1001, 1002, 1003, 1004)]
    assert [answer.admitted for answer in answers] == [True, True, False, False]
    assert [answer.readings[0].used for answer in answers] == [0, 1, 2, 2]


async def test_order_does_not_matter(store: Store) -> None:
    """A shuffled block is as near together as a sorted one."""
    for place in (1009, 1001):
        await ask(store, neighbours(place))
    assert not (await ask(store, neighbours(1005))).admitted


@pytest.mark.parametrize("places", [(100, 200, 300, 400), (0, 11, 22, 33), (9999, 5000, 0)])
async def test_numbers_out_of_reach_are_strangers(store: Store, places: tuple[int, ...]) -> None:
    """Eleven apart is not within ten."""
    for place in places:
        assert (await ask(store, neighbours(place))).admitted


async def test_the_same_number_is_not_its_own_neighbour(store: Store) -> None:
    """A resend says nothing about a block."""
    for _ in range(5):
        answer = await ask(store, neighbours(1000))
        assert answer.admitted
        assert answer.readings[0].used == 0


async def test_neighbours_move_out_with_the_window(store: Store) -> None:
    """The wait is until one neighbour too many has aged out."""
    await ask(store, neighbours(1001), at=0)
    await ask(store, neighbours(1002), at=20)
    refused = await ask(store, neighbours(1003), at=30)
    assert refused.readings[0].wait == 30
    assert (await ask(store, neighbours(1003), at=60)).admitted


async def test_only_the_latest_32_are_remembered(store: Store) -> None:
    """The value stays small; what is forgotten is the oldest."""
    for i in range(33):
        assert (await ask(store, neighbours(i * 100))).admitted
    assert (await ask(store, neighbours(1))).readings[0].used == 0
    assert (await ask(store, neighbours(3201))).readings[0].used == 1
