"""Sliding windows, in every store."""

from __future__ import annotations

import pytest

from pumpguard.decision import Action
from pumpguard.store.base import Store
from tests.store.asking import ask, watched, window


@pytest.mark.parametrize("limit", [1, 3, 10, 11, 50])
async def test_admits_exactly_the_limit(store: Store, limit: int) -> None:
    """A burst gets the limit and nothing more, whether times or slices are kept."""
    answers = [await ask(store, window(limit)) for _ in range(limit + 5)]
    assert [a.admitted for a in answers] == [True] * limit + [False] * 5
    assert answers[-1].readings[0].used == limit


async def test_a_small_window_opens_to_the_millisecond(store: Store) -> None:
    """Up to ten hits, the window is exact: full until the oldest is W old, then open."""
    await ask(store, window(1), at=0)
    closed = await ask(store, window(1), at=59.999)
    assert not closed.admitted
    assert closed.readings[0].wait == pytest.approx(0.001)
    assert (await ask(store, window(1), at=60)).admitted


async def test_a_large_window_holds_a_hit_at_most_a_tenth_too_long(store: Store) -> None:
    """Above ten hits, slices are summed whole: never early, at most one slice late."""
    for _ in range(11):
        await ask(store, window(11), at=0)
    assert not (await ask(store, window(11), at=59.999)).admitted
    assert (await ask(store, window(11), at=66)).admitted


@pytest.mark.parametrize("limit", [2, 20])
async def test_retry_after_is_when_it_opens(store: Store, limit: int) -> None:
    """Waiting as long as told, and no less, is enough."""
    for i in range(limit):
        await ask(store, window(limit), at=i * 0.5)
    wait = (await ask(store, window(limit), at=30)).readings[0].wait
    assert not (await ask(store, window(limit), at=30 + wait - 0.002)).admitted
    assert (await ask(store, window(limit), at=30 + wait)).admitted


async def test_subjects_and_rules_have_windows_of_their_own(store: Store) -> None:
    """Two subjects are two budgets, and so are two rules about one subject."""
    assert (await ask(store, window(1, subject="a"))).admitted
    assert (await ask(store, window(1, subject="b"))).admitted
    assert (await ask(store, window(1, subject="a", rule="other"))).admitted
    assert not (await ask(store, window(1, subject="a"))).admitted


@pytest.mark.parametrize("limit", [3, 30])
async def test_time_never_runs_backwards(store: Store, limit: int) -> None:
    """A clock that steps back frees nothing: the counter keeps to the latest time it saw."""
    for _ in range(limit):
        await ask(store, window(limit), at=1000)
    assert not (await ask(store, window(limit), at=0)).admitted
    assert not (await ask(store, window(limit), at=1059)).admitted
    assert (await ask(store, window(limit), at=1066)).admitted


async def test_attempts_count_refused_requests_too(store: Store) -> None:
    """A window over attempts is a signal: being refused does not keep out of it."""
    seen = window(5, counts="attempts", rule="seen")
    for _ in range(5):
        await ask(store, window(1), seen)
    answer = await ask(store, window(1, subject="b"), seen)
    assert not answer.admitted
    assert answer.readings[1].used == 5


async def test_a_window_that_does_not_bind_only_watches(store: Store) -> None:
    """A monitored window is counted as if it were enforced, and refuses nothing."""
    seen = watched(window(2))
    answers = [await ask(store, seen) for _ in range(4)]
    assert all(answer.admitted for answer in answers)
    assert [answer.readings[0].full for answer in answers] == [False, False, True, True]


async def test_a_solved_challenge_does_not_empty_the_window(store: Store) -> None:
    """Who proves himself passes a full window; the next one without proof does not."""
    asks = window(2, action=Action.CHALLENGE)
    for _ in range(2):
        await ask(store, asks)
    assert (await ask(store, watched(asks))).admitted
    assert not (await ask(store, asks)).admitted
