"""What a shadow does not cover: a client meets it with the shadow as without."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pumpguard import Action, Attempt, Decision, Finding
from pumpguard.rules import Rule
from pumpguard.rules.base import FunctionRule
from pumpguard.rules.challenge import SingleUse
from pumpguard.rules.prefix_pattern import PrefixPattern
from pumpguard.rules.rate_limit import RateLimit
from pumpguard.rules.sliding_ban import ShadowBan
from pumpguard.shadow.visible import MAX_SUBJECTS, VisibleRefusals
from pumpguard.testing import make_attempt

NOON = 1_700_000_000.0


def premium(attempt: Attempt) -> Finding | None:
    """A rule that looks at nothing but the request."""


RULES: tuple[Rule, ...] = (
    FunctionRule(name="premium", function=premium),
    RateLimit(name="phone_limit", by="phone", limits="1/minute; 3/hour"),
    PrefixPattern(blocks={"1000": "8/hour"}),
    ShadowBan(strikes="3/hour", after=("prefix_pattern",)),
)
BANNED = Finding("shadow_ban", Action.SHADOW, "SHADOW_BANNED", retry_after=4_000.0)


def shadow(*others: Finding, at: float = NOON, proved: bool = False) -> Decision:
    attempt = replace(make_attempt(), at=at, proved=proved)
    return Decision(attempt, Action.SHADOW, (BANNED, *others))


def test_a_shadow_that_covers_a_message_stays_one() -> None:
    decision = shadow()
    assert VisibleRefusals(RULES).resolve(decision) == (decision, decision)


def test_a_rule_that_counts_is_covered() -> None:
    """Surges come and go, so that they are gone tells nothing."""
    surge = Finding("prefix_pattern", Action.THROTTLE, "PREFIX_SURGE", retry_after=60.0)
    assert VisibleRefusals(RULES).resolve(shadow(surge)).reply.action is Action.SHADOW


def test_what_is_refused_whoever_asks_stays_refused() -> None:
    """And neither its wait nor its reason are the ban's; the record knows of both."""
    fixed = Finding("premium", Action.BLOCK, "PREMIUM")
    reply, record = VisibleRefusals(RULES).resolve(shadow(fixed))
    assert (reply.action, reply.findings, reply.retry_after) == (Action.BLOCK, (fixed,), None)
    assert (record.action, record.findings) == (Action.BLOCK, (BANNED, fixed))


def test_proof_that_was_asked_for_is_asked_for_until_it_is_given() -> None:
    asked = Finding("risk", Action.CHALLENGE, "MEDIUM")
    assert VisibleRefusals(RULES).resolve(shadow(asked)).reply.action is Action.CHALLENGE
    assert VisibleRefusals(RULES).resolve(shadow(asked, proved=True)).reply.action is Action.SHADOW


def test_a_monitored_finding_refuses_nothing_here_either() -> None:
    watched = Finding("premium", Action.BLOCK, "PREMIUM", mode="monitor")
    assert VisibleRefusals(RULES).resolve(shadow(watched)).reply.action is Action.SHADOW


def test_a_resend_behaves_as_a_resend() -> None:
    """One a minute: 429 with what is left of it, as after a message that was sent."""
    visible = VisibleRefusals(RULES)
    assert visible.resolve(shadow()).reply.action is Action.SHADOW
    soon = visible.resolve(shadow(at=NOON + 20)).reply
    assert (soon.action, soon.retry_after) == (Action.THROTTLE, 40.0)
    assert visible.resolve(shadow(at=NOON + 60)).reply.action is Action.SHADOW


def test_the_limits_of_a_number_are_those_of_its_rule_all_of_them() -> None:
    """Three an hour; the fourth waits for the first to be an hour old."""
    visible = VisibleRefusals(RULES)
    for minutes in range(3):
        assert visible.resolve(shadow(at=NOON + 60 * minutes)).reply.action is Action.SHADOW
    fourth = visible.resolve(shadow(at=NOON + 600)).reply
    assert (fourth.action, fourth.retry_after) == (Action.THROTTLE, 3_000.0)


def test_messages_that_were_really_sent_before_count_as_well() -> None:
    visible = VisibleRefusals(RULES)
    visible.count(shadow().attempt)
    assert visible.resolve(shadow(at=NOON + 1)).reply.action is Action.THROTTLE


def test_a_refused_resend_is_not_counted_again() -> None:
    visible = VisibleRefusals(RULES)
    visible.count(shadow().attempt)
    for second in range(1, 30):
        visible.resolve(shadow(at=NOON + second))
    assert visible.resolve(shadow(at=NOON + 60)).reply.action is Action.SHADOW


@pytest.mark.parametrize("mode", ["monitor", "off"])
def test_a_limit_that_is_not_enforced_tells_nobody_to_wait(mode: str) -> None:
    limit = RateLimit(name="phone_limit", by="phone", limits="1/minute", mode=mode)  # type: ignore[arg-type]
    visible = VisibleRefusals((limit,))
    visible.count(shadow().attempt)
    assert visible.resolve(shadow(at=NOON + 1)).reply.action is Action.SHADOW


def test_a_solution_counts_once_under_a_shadow_too() -> None:
    """Or it would be known by what is let through twice."""
    visible = VisibleRefusals((*RULES, SingleUse(seconds=600)))
    solved = replace(shadow(proved=True).attempt, solution="nonce")
    first = Decision(solved, Action.SHADOW, (BANNED,))
    again = replace(first, attempt=replace(solved, at=NOON + 90))
    other = replace(first, attempt=replace(solved, at=NOON + 90, solution="another"))
    assert visible.resolve(first).reply.action is Action.SHADOW
    assert visible.resolve(again).reply.action is Action.CHALLENGE
    assert visible.resolve(other).reply.action is Action.SHADOW


def test_ten_thousand_numbers_are_remembered_and_no_more() -> None:
    visible = VisibleRefusals(RULES)
    for n in range(MAX_SUBJECTS + 10):
        visible.count(replace(make_attempt(), phone=replace(make_attempt().phone, e164=f"+{n}")))
    assert len(visible._sent) == MAX_SUBJECTS


def test_a_rule_with_a_bug_is_as_if_it_were_not_there() -> None:
    class Broken(FunctionRule):
        def counters(self, attempt: Attempt) -> tuple[()]:
            raise RuntimeError(attempt)

    visible = VisibleRefusals((Broken(name="premium", function=premium), *RULES[1:]))
    visible.count(shadow().attempt)
    assert visible.resolve(shadow(at=NOON + 1)).reply.action is Action.THROTTLE
