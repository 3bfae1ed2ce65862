"""The most that claims leave: never below what can really be spent, and exact in plain cases."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpguard.money.claims import Claim
from pumpguard.money.solve import alone, together

PRICES = st.lists(st.sampled_from([1.0, 2.0, 5.0]), min_size=4, max_size=4)
SCOPES = st.frozensets(st.integers(0, 3), min_size=1)
CLAIMS = st.lists(
    st.one_of(
        st.builds(Claim, st.just(frozenset({"r"})), SCOPES, messages=st.integers(0, 6).map(float)),
        st.builds(Claim, st.just(frozenset({"r"})), SCOPES, usd=st.integers(0, 12).map(float)),
    ),
    max_size=6,
)


def claim(scope: str, messages: float = inf, usd: float = inf) -> Claim:
    return Claim(frozenset({scope}), frozenset(map(int, scope)), messages, usd)


def bound(prices: Sequence[float], *claims: Claim) -> float:
    return together(prices, alone(prices, claims), claims).usd


def allowed(counts: Sequence[int], prices: Sequence[float], claims: Sequence[Claim]) -> bool:
    """Whether so many messages to each destination keep to every claim."""
    return all(
        sum(counts[i] for i in c.scope) <= c.messages
        and sum(counts[i] * prices[i] for i in c.scope) <= c.usd
        for c in claims
    )


@given(PRICES, CLAIMS)
def test_nothing_that_is_allowed_costs_more(prices: list[float], claims: list[Claim]) -> None:
    """Every way to send up to four messages to each of four destinations."""
    most = bound(prices, *claims)
    for counts in product(range(5), repeat=4):
        if allowed(counts, prices, claims):
            assert sum(n * price for n, price in zip(counts, prices, strict=True)) <= most + 1e-9


@pytest.mark.parametrize(
    ("claims", "usd"),
    [
        ([], inf),
        ([claim("0", 2), claim("1", 2)], 14),
        ([claim("0", 2), claim("1", 2), claim("01", 3)], 12),
        ([claim("01", 3)], 15),
        ([claim("01", 3), claim("01", usd=4)], 4),
        ([claim("0", 0), claim("1", 1)], 2),
        ([claim("0", 0), claim("1", 0)], 0),
    ],
)
def test_two_destinations(claims: list[Claim], usd: float) -> None:
    """At $5 and $2 a message, the dearest first."""
    assert bound([5.0, 2.0], *claims) == usd


def test_claims_that_overlap_count_once_each() -> None:
    """Neither lies in the other: what is outside the second is added to it."""
    prices = [1.0, 1.0, 1.0]
    assert bound(prices, claim("01", 3), claim("12", 3), claim("0", 2), claim("2", 2)) >= 5
    assert bound(prices, claim("01", 3), claim("12", 3)) == 6
