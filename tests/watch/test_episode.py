"""What is an attack, and what is said of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpguard import Action, Decision, Finding
from pumpguard.masking import Block
from pumpguard.testing import make_attempt
from pumpguard.watch.episode import (
    BEGINS,
    OVER,
    Episode,
    Sums,
    begins,
    goes_on,
    no_sign,
    orders,
    told,
)

BUDGET = 600.0
COUNTS = st.dictionaries(
    st.sampled_from(["n", "u", "a", "an", "sent", "b\tGB\t+447400123\tn", "b\tGB\tother\tn"]),
    st.integers(0, 10**9),
)


def block(n: int, usd: float, digits: str = "+880171234", country: str = "BD") -> dict[str, int]:
    """So many refusals of one block."""
    u = round(usd * 1e6)
    return {"n": n, "u": u, f"b\t{country}\t{digits}\tn": n, f"b\t{country}\t{digits}\tu": u,
            "r\tprefix_pattern\tu": u}  # fmt: skip


def test_a_block_that_is_asked_for_again_and_again_is_an_attack() -> None:
    """From so many requests, and so many dollars, on."""
    assert begins(BUDGET, [], Sums.of([block(50, 3.0)]))
    assert not begins(BUDGET, [], Sums.of([block(49, 30.0)]))
    assert not begins(BUDGET, [], Sums.of([block(50, 2.9)]))


def test_scattered_refusals_are_one_if_more_is_refused_than_let_through() -> None:
    """A crowd is let through for the most part."""
    scattered = {"n": 400, "u": 40_000_000}
    assert begins(BUDGET, [], Sums.of([{**scattered, "an": 300, "a": 40}]))
    assert not begins(BUDGET, [], Sums.of([{**scattered, "an": 300, "a": 900}]))
    assert not begins(BUDGET, [], Sums.of([scattered]))


def test_the_fleets_own_past_is_the_third_worst_hour() -> None:
    """A place that is always attacked wakes somebody when it is worse; one attack hides none."""
    now = Sums.of([block(200, 20.0)])
    assert begins(BUDGET, [500_000_000, 400_000_000, 0, 0], now)
    assert not begins(BUDGET, [500_000_000, 400_000_000, 30_000_000], now)


@given(COUNTS, COUNTS)
def test_what_processes_have_seen_adds_up(one: dict[str, int], other: dict[str, int]) -> None:
    """In any order."""
    both = Sums.of([one, other])
    assert both == Sums.of([other, one])
    assert both.n == one.get("n", 0) + other.get("n", 0)
    assert "other" not in both.blocks


def test_it_is_over_when_little_is_refused() -> None:
    """Half of what begins one, so that it does not end and begin again."""
    assert goes_on(BUDGET, Sums.of([block(25, 1.5)]))
    assert not goes_on(BUDGET, Sums.of([block(24, 30.0)]))
    assert not goes_on(BUDGET, Sums.of([block(100, 1.4)]))


def test_the_order_names_the_narrowest_prefix_that_covers_most() -> None:
    """A block, what many blocks have in common, a few ranges, or the country."""
    one = Sums.of([block(100, 10.0)])
    assert orders(one) == ["pumpguard lists deny prefix +880171234 --for 1d"]
    many = Sums.of([block(10, 1.0, f"+88017{i:04}") for i in range(40)])
    assert orders(many) == ["pumpguard lists deny prefix +8801700 --for 1d"]
    two = [
        block(10, 1.0, f"{begins}{i:02}") for i in range(9) for begins in ("+8801712", "+994501")
    ]
    assert orders(Sums.of(two)) == [
        "pumpguard lists deny prefix +8801712 --for 1d",
        "pumpguard lists deny prefix +994501 --for 1d",
    ]
    everywhere = Sums.of([block(10, 1.0, f"+880{i}23456") for i in range(1, 9)])
    assert orders(everywhere) == ["pumpguard posture challenge_all --country BD --for 1h"]
    world = Sums.of([block(10, 1.0, f"+{i}2345678", f"Z{i}") for i in range(1, 9)])
    assert orders(world) == ["pumpguard posture challenge_all --for 1h"]


def test_an_alert_says_what_to_know_and_what_to_type() -> None:
    """The block with its digits, dollars, rules and orders; at the end, no order."""
    sums = Sums.of([{**block(100, 10.0), "sent": 700_000, "bans": 2}])
    alert = told(BEGINS, sums, Episode(1_000, 1_600), 1_600.0)
    assert alert.subject == "+880171234"
    assert isinstance(alert.subject, Block)
    assert alert.rule == "prefix_pattern"
    assert alert.evidence == {
        "since": 1_000, "refused": 100, "not_spent": 10.0, "spent": 0.7, "bans": 2,
        "blocks": ["+880171234"], "countries": ["BD"], "rules": ["prefix_pattern"],
        "orders": ["pumpguard lists deny prefix +880171234 --for 1d"],
    }  # fmt: skip
    assert "orders" not in told(OVER, sums, Episode(1_000, 1_600), 1_600.0).evidence


@pytest.mark.parametrize(
    ("rule", "subject", "tells_nothing"),
    [
        ("budget", None, True),
        ("posture", None, True),
        ("phone_limit", "+447400123456", True),
        ("prefix_pattern", "+447400123", False),
        ("network_limit", "81.2.69.142/32", False),
    ],
)
def test_what_people_and_budgets_refuse_is_no_sign(
    rule: str, subject: str | None, tells_nothing: bool
) -> None:
    """Nor is one who asks for his own number again and again."""
    finding = Finding(rule, Action.BLOCK, "SOME_CODE", subject=subject)
    decision = Decision(make_attempt("+447400123456"), Action.BLOCK, (finding,))
    assert no_sign(decision) is tells_nothing


def test_blocks_beside_those_that_are_told_apart_are_their_countrys() -> None:
    """No prefix can be denied for them."""
    sums = Sums.of([{"n": 90, "u": 9, "b\tBD\tother\tn": 90, "b\tBD\tother\tu": 9}])
    assert not sums.blocks
    assert sums.countries == {"BD": 9}
    assert orders(sums) == ["pumpguard posture challenge_all --country BD --for 1h"]


def test_where_no_country_stands_out_all_are_asked() -> None:
    spread = {f"b\t{country}\tother\tu": 10 for country in ("BD", "UZ", "AZ")}
    everybody = ["pumpguard posture challenge_all --for 1h"]
    assert orders(Sums.of([spread])) == orders(Sums()) == everybody


def test_a_refusal_without_a_rule_is_a_sign() -> None:
    """As of an app whose store is away and that fails closed: nobody has said what it is about."""
    assert not no_sign(Decision(make_attempt(), Action.THROTTLE))
