"""Sliding windows, in every store."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from pumpguard.decision import Action
from pumpguard.store.base import Store
from pumpguard.store.redis import RedisStore
from tests.conftest import PATIENT
from tests.store.asking import About, ask, sliced, watched, window


@pytest.mark.parametrize("limit", [1, 3, 50, 512, 520])
async def test_admits_exactly_the_limit(store: Store, limit: int) -> None:
    """A burst gets the limit and nothing more, whether times or slices are kept."""
    answers = [await ask(store, window(limit)) for _ in range(limit + 5)]
    assert [a.admitted for a in answers] == [True] * limit + [False] * 5
    assert answers[-1].readings[0].used == limit


async def test_a_small_window_opens_to_the_millisecond(store: Store) -> None:
    """Up to 512 hits, the window is exact: full until the oldest is W old, then open."""
    for limit in (1, 40):
        for _ in range(limit):
            await ask(store, window(limit, rule=f"{limit}"), at=0)
        closed = await ask(store, window(limit, rule=f"{limit}"), at=59.999)
        assert not closed.admitted
        assert closed.readings[0].wait == pytest.approx(0.001)
        assert (await ask(store, window(limit, rule=f"{limit}"), at=60)).admitted


async def test_a_large_window_holds_a_hit_at_most_a_tenth_too_long(store: Store) -> None:
    """Above that, slices are summed whole: never early, at most one slice late."""
    for _ in range(11):
        await ask(store, sliced(11), at=0)
    assert not (await ask(store, sliced(11), at=59.999)).admitted
    assert (await ask(store, sliced(11), at=66)).admitted


@pytest.mark.parametrize(("limited", "limit"), [(window(2), 2), (window(20), 20), (sliced(20), 20)])
async def test_retry_after_is_when_it_opens(store: Store, limited: About, limit: int) -> None:
    """Waiting as long as told, and no less, is enough."""
    for i in range(limit):
        await ask(store, limited, at=i * 0.5)
    wait = (await ask(store, limited, at=30)).readings[0].wait
    assert not (await ask(store, limited, at=30 + wait - 0.002)).admitted
    assert (await ask(store, limited, at=30 + wait)).admitted


async def test_windows_of_one_rule_share_their_hits_and_keep_limits_of_their_own(
    store: Store,
) -> None:
    """Three limits, one log: each opens to the millisecond, whatever the others hold."""
    limits = window(1, 10), window(2, 60), window(3, 600)
    waits = {0: [0, 0, 0], 10: [0, 0, 0], 20: [0, 40, 0], 60: [0, 0, 0], 70: [0, 0, 530]}
    for at, full_for in waits.items():
        answer = await ask(store, *limits, at=at)
        assert [answer.readings[i].wait for i in range(3)] == pytest.approx(full_for)
        assert answer.admitted == (not any(full_for))
    assert not (await ask(store, *limits, at=599.999)).admitted
    assert (await ask(store, *limits, at=600)).admitted


async def test_what_one_window_ignores_its_neighbour_still_counts(store: Store) -> None:
    """Who passes a full window by proof is counted by the wider one, which refuses in the end."""
    minute, hour = window(2, action=Action.CHALLENGE), window(5, 3600)
    passed = [await ask(store, watched(minute), hour, at=i) for i in range(7)]
    assert [answer.admitted for answer in passed] == [True] * 5 + [False] * 2
    assert passed[-1].readings[1].used == 5


async def test_a_log_forgets_what_its_longest_window_has_left(store: Store) -> None:
    """A rule that is dropped to a shorter window for one request loses nothing of the longer."""
    long, short = window(3, 3600), window(3, 60)
    for at in (0, 100, 200):
        assert (await ask(store, long, short, at=at)).admitted
    assert (await ask(store, short, at=300)).admitted  # by itself it has a log of its own
    assert not (await ask(store, long, short, at=3599)).admitted
    assert (await ask(store, long, short, at=3600)).readings[0].used == 2


async def test_attempts_and_admissions_are_counted_apart(store: Store) -> None:
    """Also by one rule: what is refused fills only the window over attempts."""
    both = window(2), window(9, counts="attempts")
    for _ in range(5):
        answer = await ask(store, *both)
    assert [answer.readings[i].used for i in range(2)] == [2, 4]


async def test_subjects_and_rules_have_windows_of_their_own(store: Store) -> None:
    """Two subjects are two budgets, and so are two rules about one subject."""
    assert (await ask(store, window(1, subject="a"))).admitted
    assert (await ask(store, window(1, subject="b"))).admitted
    assert (await ask(store, window(1, subject="a", rule="other"))).admitted
    assert not (await ask(store, window(1, subject="a"))).admitted


@pytest.mark.parametrize(("limited", "limit"), [(window(3), 3), (window(30), 30), (sliced(30), 30)])
async def test_time_never_runs_backwards(store: Store, limited: About, limit: int) -> None:
    """A clock that steps back frees nothing: the counter keeps to the latest time it saw."""
    for _ in range(limit):
        await ask(store, limited, at=1000)
    assert not (await ask(store, limited, at=0)).admitted
    assert not (await ask(store, limited, at=1059)).admitted
    assert (await ask(store, limited, at=1066)).admitted


async def test_a_flood_in_one_slice_leaves_with_its_window(valkey_url: str, name: str) -> None:
    """More attempts than two bytes hold are as many as they hold, and all of them leave."""
    seen = window(600, counts="attempts")
    async with Redis.from_url(valkey_url) as redis:
        store = RedisStore(valkey_url, name=name, deadline=PATIENT)
        await ask(store, seen)
        [key] = [key async for key in redis.scan_iter(f"pg1:{{{name}}}:*")]
        stored = await redis.get(key)
        assert isinstance(stored, bytes)
        value = bytearray(stored)
        assert int.from_bytes(value[16:22]) == int.from_bytes(value[22:24]) == 1
        value[16:24] = (65_535).to_bytes(6) + (65_535).to_bytes(2)
        await redis.set(key, bytes(value), keepttl=True)
        used = [(await ask(store, seen, at=at)).readings[0].used for at in (0, 1, 60, 66)]
        await store.aclose()
    assert used == [65_535, 65_535, 65_535, 1]


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
