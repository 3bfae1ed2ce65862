"""Asking where nobody can answer is not refusing: what a guard without ``challenge=`` does."""

from __future__ import annotations

import pytest

from pumpguard import Action, Finding, Guard, Policy
from pumpguard.attempt import Attempt
from pumpguard.counters import Credit as Line
from pumpguard.intake.network import UnknownNetworks
from pumpguard.rules import (
    Budget,
    Conversion,
    Credit,
    GeoMismatch,
    Network,
    Number,
    PrefixPattern,
    RateLimit,
    Rule,
    SlidingBan,
    Spread,
    UnsentLimit,
)
from pumpguard.rules.challenge import with_single_use
from pumpguard.testing import FakeClock, SimulatedHuman, make_attempt

POLICIES = [
    Policy(send="/send"),
    Policy(send="/send", home=["GB"]),
    Policy(send="/send", home=["GB"], settled=True, session="session"),
    Policy(send="/send", settled=True),
]
ATTEMPTS = [make_attempt(phone) for phone in ("+447400123456", "+8801712345678", "+12025550123")]


def asked_at(rule: Rule) -> set[Action]:
    """What this rule's counters ask of somebody without proof."""
    return {counter.action for attempt in ATTEMPTS for counter in rule.counters(attempt)}


@pytest.mark.parametrize("policy", POLICIES)
def test_every_rule_that_binds_without_a_challenge_says_where_it_refuses(policy: Policy) -> None:
    """Of those that only ask, conversion alone has no wider limit: lines of credit bound it."""
    only_asking = {
        rule.name
        for rule in with_single_use(policy.chain, None)
        if rule.mode == "enforce" and Action.CHALLENGE in asked_at(rule) and not rule.ask_first
    }
    assert only_asking <= {"conversion"}


@pytest.mark.parametrize("policy", POLICIES)
def test_with_a_challenge_the_rules_are_as_the_policy_says(policy: Policy) -> None:
    with_challenge = with_single_use(policy.chain, SimulatedHuman())
    assert with_challenge[:-1] == tuple(policy.chain)


def vpn_asked(attempt: Attempt) -> Finding | None:
    return Finding("vpn", Action.CHALLENGE, "VPN")


ASKING: list[Rule] = [
    Network(challenged_kinds=("residential",)),
    GeoMismatch(),
    RateLimit(by="network", limits="1/hour", action="challenge"),
    Spread(by="network", of="phone", limit=1),
    SlidingBan(strikes="1/hour", action="challenge"),
    Budget(day=0.05, hour=0.05, challenge=0.1, reserved=0.0),
    Credit(lines={"country": 0.01}, action="challenge"),
    Conversion(by=["network"]),
    UnsentLimit(limit=1),
    Number(unallocated="challenge"),
]
"""One of each rule that can ask, so strict that it asks of the second of two already."""


async def second(rule: Rule, *, challenge: bool) -> tuple[bool, bool]:
    """Whether the second person at an address gets a code, and whether the rule has spoken."""
    clock = FakeClock()
    policy = Policy(send="/send", rules=[rule], settled=True)
    guard = Guard(
        policy, clock=clock, networks=UnknownNetworks(),
        challenge=SimulatedHuman() if challenge else None,
    )  # fmt: skip
    async with guard:
        for last in ("1", "2"):
            phone = f"+44740012345{last}"
            decision = await guard.assess(
                make_attempt(phone, country="FR", at=clock.advance(5), price=0.01)
            )
    return decision.allowed, bool(decision.findings)


@pytest.mark.parametrize("rule", ASKING, ids=lambda rule: rule.name)
async def test_who_would_be_asked_is_let_through_where_nobody_can_be(rule: Rule) -> None:
    allowed, _ = await second(rule, challenge=False)
    assert allowed


async def test_with_a_challenge_the_same_client_is_asked() -> None:
    asked = {rule.name for rule in ASKING if not (await second(rule, challenge=True))[0]}
    assert asked >= {"network", "geo_mismatch", "rate_limit", "spread", "sliding_ban", "credit"}


async def test_a_function_that_asks_is_recorded() -> None:
    async with Guard(Policy(send="/send", rules=[vpn_asked]), networks=UnknownNetworks()) as guard:
        decision = await guard.assess(make_attempt())
    assert decision.allowed
    assert [(finding.code, finding.mode) for finding in decision.findings] == [("VPN", "monitor")]


async def test_a_rule_that_refuses_with_proof_too_refuses_at_once() -> None:
    rule = PrefixPattern(neighbours=1, ask_first=True)
    assert not (await second(rule, challenge=False))[0]


def test_each_limit_that_only_asks_refuses_at_a_wider_one() -> None:
    rate = RateLimit(by="network", limits="15/hour; 50/day", action="challenge")
    wider = rate.without_challenge()
    assert (wider.action, wider.limits) == ("throttle", "60 per 3600 second; 200 per 86400 second")
    assert RateLimit(by="phone", limits="5/day").without_challenge().limits == "5/day"
    spread = Spread(by="network", of="country", limit=5).without_challenge()
    assert (spread.action, spread.limit) == ("throttle", 20)
    ban = SlidingBan(strikes="50 per 5 minute", action="challenge").without_challenge()
    assert (ban.action, ban.strikes) == ("throttle", "200 per 300 second")
    unsent = UnsentLimit().without_challenge()
    assert (unsent.limit, unsent.ask_first) == (120, False)
    line = Credit(lines={"country": 2.0}, action="challenge", unasked=3).without_challenge()
    assert (line.action, line.lines) == ("throttle", {"country": 6.0})


def test_whom_a_line_would_not_have_asked_it_does_not_refuse() -> None:
    """Those who come from where users verify, and those whose provider is late or down."""
    asking = Credit(lines={"country": 2.0}, action="challenge", yields=True, unasked=3)
    for rule in (asking, asking.without_challenge()):
        (line,) = rule.counters(make_attempt())
        assert isinstance(line, Line)
        assert line.except_trusted
    refusing = Credit(lines={"country": 2.0}, action="throttle", yields=True)
    (line,) = refusing.counters(make_attempt())
    assert isinstance(line, Line)
    assert not line.except_trusted


async def test_a_budget_that_is_nearly_spent_refuses_nobody_before_it_is() -> None:
    """$1 an hour, of which a fifth is kept for known numbers: 80 cents are open to all."""
    clock = FakeClock()
    budget = Budget(day=6.0, hour=1.0)
    guard = Guard(
        Policy(send="/send", rules=[budget], settled=True), clock=clock, networks=UnknownNetworks()
    )
    async with guard:
        sent = 0
        for n in range(20):
            attempt = make_attempt(f"+4474001{n:05}", at=clock.advance(1), price=0.1)
            sent += (await guard.assess(attempt)).allowed
    assert sent == 8


def test_a_number_that_nobody_has_is_refused_where_nobody_can_be_asked() -> None:
    rule = Number(unallocated="challenge").without_challenge()
    assert rule.unallocated is True
    assert not rule.plan_ages


async def test_where_nobody_can_prove_anything_a_range_is_closed_by_degrees() -> None:
    """Of a range seen from elsewhere whose messages nobody verifies: not before eight of them, and
    then half-open. Somebody who asks from the number's country goes on."""
    policy = Policy(
        send="/send", settled=True,
        rules=[Conversion(by=["network"], proof_by=["prefix:6+client_abroad"])],
    )  # fmt: skip
    clock = FakeClock()
    async with Guard(policy, clock=clock, networks=UnknownNetworks()) as guard:
        allowed = []
        for n in range(60):
            phone = f"+4474001{n:05}"  # elsewhere people verify all the time
            await guard.assess(make_attempt(phone, "81.2.69.143", at=clock.advance(60)))
            guard.verified(phone)
            await guard.settled()
            if n >= 30:
                attempt = make_attempt(f"+88017123{n:05}", country="GB", at=clock.advance(60))
                allowed.append((await guard.assess(attempt)).allowed)
        there = make_attempt("+8801712399999", country="BD", at=clock.advance(1))
        assert (await guard.assess(there)).allowed
    assert all(allowed[:8])
    assert 8 <= sum(allowed) <= 16
