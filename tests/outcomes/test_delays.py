"""How long to wait for a code to be entered, learnt from those that were."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from pumpguard.outcomes.delays import ENOUGH, SHORTEST_MS, Delays


def test_little_is_known_at_first() -> None:
    delays = Delays()
    for _ in range(ENOUGH - 1):
        delays.add(13_500)
    assert delays.matures_after is None
    delays.add(13_500)
    assert delays.matures_after == SHORTEST_MS


def test_slow_countries_get_the_time_they_need() -> None:
    """Nine in ten enter within 20 s, one needs three minutes: it is waited for twice as long."""
    delays, dice = Delays(), random.Random(1)
    for _ in range(1_000):
        delays.add(180_000 if dice.random() < 0.1 else dice.randint(5_000, 20_000))
    assert delays.matures_after is not None
    assert 360_000 <= delays.matures_after <= 450_000


def test_a_provider_that_becomes_slow_is_noticed_soon() -> None:
    """One code in twenty of those that still count came late: after fourteen of them at most."""
    for usual in range(1_000, 1_250, 10):
        delays = Delays()
        for _ in range(usual):
            delays.add(13_500)
        for _ in range(14):
            delays.add(150_000)
        assert delays.matures_after is not None
        assert delays.matures_after >= 300_000, usual


def test_what_was_long_ago_counts_less() -> None:
    delays = Delays()
    for _ in range(4_000):
        delays.add(200_000)
    for _ in range(40_000):
        delays.add(10_000)
    assert delays.matures_after == SHORTEST_MS


@given(st.lists(st.integers(0, 10**9), max_size=200))
def test_it_never_says_less_than_a_minute(ages: list[int]) -> None:
    delays = Delays()
    for age in ages:
        delays.add(age)
    assert delays.matures_after is None or delays.matures_after >= SHORTEST_MS
