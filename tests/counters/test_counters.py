"""Counters: money as integers, and what makes a counter the same counter."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pumpguard.counters import (
    Conversion,
    Credit,
    Known,
    Pulse,
    Refunds,
    Spend,
    Tickets,
    Window,
    micros,
)


@pytest.mark.parametrize(
    ("usd", "expected"),
    [
        (0, 0),
        (0.0075, 7_500),
        (0.1, 100_000),
        (0.07, 70_000),
        (1e-7, 1),
        (1 / 3, 333_334),
        (1073.741805, 1_073_741_805),
    ],
)
def test_prices_round_up_to_the_next_micro_dollar(usd: float, expected: int) -> None:
    """Never for less than it is, and not by one more for what only floats make of it."""
    assert micros(usd) == expected


@settings(max_examples=2_000)
@given(st.integers(0, 10**12))
def test_whole_micro_dollars_stay_what_they_are(whole: int) -> None:
    """Up to a million dollars, in USD and back."""
    assert micros(whole / 1e6) == whole


def test_a_sum_is_the_same_whatever_its_limit() -> None:
    """A proved attempt has another limit, and spends from the same budget."""
    assert Spend("b", "country", 100, 60).identity() == Spend("b", "country", 80, 60, 10).identity()
    assert Credit("b", "country", 100, 60).identity() != Spend("b", "country", 100, 60).identity()
    assert Spend("b", "country", 100, 60).identity() != Spend("b", "country", 100, 3600).identity()


def test_tickets_that_remember_something_else_are_others() -> None:
    """Their bytes cannot be read alike."""
    assert Tickets("t").identity() != Tickets("t", remembers=("network",)).identity()


def test_a_part_of_a_limit_is_rounded_down() -> None:
    """Of money to nothing, of counts to one; what is reserved is rounded up."""
    assert Spend("s", "everything", 10, 60, 3).divided(4) == Spend("s", "everything", 2, 60, 1)
    assert Credit("c", "network", 3, 60).divided(4) == Credit("c", "network", 0, 60)
    assert Refunds("r", 100).divided(3) == Refunds("r", 33)
    assert Window("w", "network", 3, 60).divided(4) == Window("w", "network", 1, 60)
    for whole in (Conversion("v", "network"), Pulse("p"), Known("k"), Tickets("t")):
        assert whole.divided(4) == whole
