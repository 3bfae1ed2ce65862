"""Which rules of a policy a log without numbers can play."""

from __future__ import annotations

import pytest

from pumpguard import Policy
from pumpguard.replay.entry import Entry
from pumpguard.replay.journal import Journal
from pumpguard.replay.lacking import by_addresses, told_apart
from pumpguard.rules import Budget, Network, RateLimit, SlidingBan, Spread


def kept(*rules: object, priced: bool = False) -> list[str]:
    policy, _ = by_addresses(Policy(send="/s", rules=list(rules)), priced)
    return [rule.name for rule in policy.chain]


@pytest.mark.parametrize("by", ["network", "site", "asn", ["network", "session"]])
def test_a_limit_by_where_a_request_comes_from_is_played(by: str) -> None:
    assert kept(RateLimit(name="r", by=by, limits="1/day")) == ["r"]


@pytest.mark.parametrize("by", ["phone", "country", "prefix:3", ["network", "country"]])
def test_one_by_the_number_is_blind(by: str) -> None:
    assert kept(RateLimit(name="r", by=by, limits="1/day")) == []


def test_one_for_some_countries_numbers_is_blind() -> None:
    assert kept(RateLimit(name="r", by="network", limits="1/day", regions=["GB"])) == []


def test_one_of_different_values_has_to_know_these() -> None:
    sees = Spread(name="sessions", by="network", of="session", limit=3)
    blind = Spread(name="countries", by="network", of="country", limit=3)
    assert kept(sees, blind) == ["sessions"]


def test_a_ban_follows_from_what_was_played() -> None:
    """Without a rule that feeds it, it would count every request."""
    limits = (
        RateLimit(name="seen", by="network", limits="1/day"),
        RateLimit(name="blind", by="phone", limits="1/day"),
    )
    both = SlidingBan(name="both", strikes="3/hour", after=["seen", "blind"])
    one = SlidingBan(name="one", strikes="3/hour", after=["blind"])
    assert kept(*limits, both, one) == ["seen", "both"]


def test_a_budget_needs_prices() -> None:
    assert kept(Network(), Budget(day=10)) == ["network"]
    assert kept(Network(), Budget(day=10), priced=True) == ["network", "budget"]


def test_nobody_can_earn_anything_and_that_is_said() -> None:
    _, said = by_addresses(Policy(send="/s", verify="/v"), False)
    assert "addresses that many people share look worse than they are" in said[1]
    _, said = by_addresses(Policy(send="/s"), False)
    assert len(said) == 1


def test_over_events_of_our_own_the_mode_stays() -> None:
    """Each decision is held against what it was; that nothing is refused is said."""
    found = Journal()
    found._insert([Entry(1_777_852_800.0, "+447400123456", event="{}")])
    found.close_books()
    policy, said = told_apart(Policy(send="/s", mode="monitor"), found)
    assert policy.mode == "monitor"
    assert said[0].endswith("nothing is refused here. Take the mode out to see what would be.")
