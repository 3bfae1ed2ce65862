"""What rules declare is compiled once, and never mixed up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpguard import Finding, Policy
from pumpguard.attempt import Attempt
from pumpguard.counters import Reading, Window
from pumpguard.engine.compile import COMBINATIONS, RuleSet
from pumpguard.rules import RateLimit, Rule
from pumpguard.testing import make_attempt

PHONES = ("+447700900123", "+2348021234567", "+33612345678", "+12025550123", "+8821612345678")
ADDRESSES = ("203.0.113.9", "2001:db8::1", None)


class ExceptStaff(RateLimit):
    """A rule of one's own on top of ours: colleagues are not limited."""

    def counters(self, attempt: Attempt) -> Sequence[Window]:
        """Nothing for staff."""
        return () if attempt.account == "staff" else self._windows


def test_who_overrides_counters_is_asked_for_every_attempt() -> None:
    """What a base class says of its own counters does not bind those that replace them."""
    rules = RuleSet([ExceptStaff(by="phone", limits="1/minute")])
    for _ in range(2):
        assert rules.compiled(make_attempt())[0].plans["all"].counters
        staff = replace(make_attempt(), account="staff")
        assert not rules.compiled(staff)[0].plans["all"].counters


def test_a_rule_that_makes_ever_new_counters_does_not_fill_the_memory() -> None:
    """What is prepared is forgotten once there are more combinations than any policy has."""

    class EverNew(Rule):
        def counters(self, attempt: Attempt) -> Sequence[Window]:
            return (Window(self.name, "phone", 1 + int(attempt.at), 60),)

        def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
            return None

    rules = RuleSet([EverNew()])
    for n in range(COMBINATIONS + 10):
        compiled, _ = rules.compiled(replace(make_attempt(), at=float(n)))
        assert compiled.plans["all"].counters == (Window("ever_new", "phone", 1 + n, 60),)
    assert len(rules._compiled) <= COMBINATIONS + 1


DEFAULT = Policy(send="/s", home=["GB"], session="session").chain


@pytest.mark.parametrize("rule", DEFAULT, ids=lambda rule: rule.name)
@given(
    phone=st.sampled_from(PHONES),
    address=st.sampled_from(ADDRESSES),
    session=st.sampled_from((None, "a", "b")),
    proved=st.booleans(),
)
def test_our_rules_declare_by_what_they_say(
    rule: Rule, phone: str, address: str | None, session: str | None, proved: bool
) -> None:
    """Two attempts that agree on it get the same counters, whatever else they differ in."""
    base = make_attempt(phone, proved=proved)
    other = replace(make_attempt(phone, address=address, proved=proved), session=session)
    assert rule.declares_by is not None
    by = rule.declares_by
    if all(base.subject(each) == other.subject(each) for each in by):
        assert rule.counters(base) is rule.counters(other) or not rule.counters(base)
    assert RuleSet([rule]).compiled(other)[0].declared == (rule.counters(other),)
