"""The risk score: weights multiply, and what they say together is acted on all or nothing."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpguard import Action, Attempt, Finding, Policy, PolicyError
from pumpguard.counters import Counter, Reading, Window
from pumpguard.errors import StoreError
from pumpguard.risk import Risk
from pumpguard.rules import Budget, Conversion, FunctionRule, GeoMismatch, RateLimit, Rule
from pumpguard.store.base import Answer, Question, Store
from pumpguard.store.memory import MemoryStore
from tests.rules.trying import Trying, numbers

ABROAD = GeoMismatch(action="allow", weight=1.5)
"""Says something about a client from another country, and refuses nothing by itself."""


def busy(name: str = "busy", weight: float = 1.5, by: str = "network", **more: Any) -> RateLimit:
    """A limit of one an hour that only weighs."""
    limits = more.pop("limits", "1/hour")
    return RateLimit(name=name, by=by, limits=limits, action="allow", weight=weight, **more)


# What a score is


async def test_every_decision_has_a_score() -> None:
    """The product of all findings' weights, whether or not anything follows from it."""
    app = Trying(ABROAD, busy())
    assert (await app.send()).score == 1
    assert (await app.send(country="GB")).score == 1.5
    decision = await app.send(country="FR")
    assert decision.score == 1.5 * 1.5
    assert decision.allowed


async def test_monitored_rules_weigh_as_much() -> None:
    """To be recorded and not acted on is not to be forgotten."""
    app = Trying(GeoMismatch(mode="monitor", weight=3.0), risk=Risk())
    decision = await app.send(country="FR")
    assert decision.action is Action.BLOCK
    assert decision.finding is not None
    assert (decision.finding.rule, decision.finding.code) == ("risk", "RISK_HIGH")


@pytest.mark.parametrize(
    ("weight", "action", "code"),
    [
        (1.24, Action.ALLOW, None),
        (1.25, Action.CHALLENGE, "RISK_MEDIUM"),
        (1.99, Action.CHALLENGE, "RISK_MEDIUM"),
        (2.0, Action.BLOCK, "RISK_HIGH"),
    ],
)
async def test_three_levels(weight: float, action: Action, code: str | None) -> None:
    """Below 1.25 low, below 2 medium, high from there on."""
    decision = await Trying(GeoMismatch(action="allow", weight=weight), risk=Risk()).send(
        country="FR"
    )
    assert decision.action is action
    assert (decision.finding.code if decision.finding else None) == code


async def test_proof_passes_the_medium_level_and_not_the_high_one() -> None:
    """Who solves a challenge answers the question that the level asks."""
    app = Trying(ABROAD, busy(), risk=Risk())
    assert (await app.send(country="FR", proved=True)).allowed_because == "proved"
    assert (await app.send(country="FR", proved=True)).action is Action.BLOCK


async def test_without_findings_there_is_no_risk() -> None:
    app = Trying(ABROAD, risk=Risk())
    assert (await app.send()).findings == ()


async def test_the_score_explains_itself() -> None:
    decision = await Trying(ABROAD, risk=Risk(medium=1.4, high=3)).send(country="FR")
    assert "risk: RISK_MEDIUM → challenge [score=1.5, medium=1.4, high=3]" in decision.explain()


async def test_a_weight_below_one_speaks_for_a_request() -> None:
    """A rule may know a reason to trust."""

    def colleague(attempt: Attempt) -> Finding | None:
        if attempt.account != "staff":
            return None
        return Finding("colleague", Action.ALLOW, "STAFF", weight=0.5)

    app = Trying(
        ABROAD, busy("busy", 2.0), FunctionRule(name="colleague", function=colleague), risk=Risk()
    )
    await app.send(country="GB")
    assert (await app.send(country="FR")).action is Action.BLOCK  # 3.0
    assert (await app.send(country="FR", account="staff")).action is Action.CHALLENGE  # 1.5


# Whether it acts


async def test_it_can_be_watched_first() -> None:
    """In monitor mode it is recorded, and nobody is refused for it."""
    app = Trying(ABROAD, busy(), risk=Risk(mode="monitor"))
    await app.send(country="FR")
    decision = await app.send(country="FR")
    assert decision.allowed
    assert [(f.code, f.mode) for f in decision.findings if f.rule == "risk"] == [
        ("RISK_HIGH", "monitor")
    ]


async def test_the_mode_off_is_as_good_as_none() -> None:
    app = Trying(ABROAD, busy(), risk=Risk(mode="off"))
    for _ in range(3):
        decision = await app.send(country="FR")
    assert decision.allowed
    assert {finding.rule for finding in decision.findings} == {"geo_mismatch", "busy"}


async def test_the_levels_have_the_actions_they_are_given() -> None:
    risk = Risk(medium=1.2, high=2.0, on_medium="throttle", on_high="shadow")
    app = Trying(ABROAD, busy(), risk=risk)
    assert (await app.send(country="FR")).action is Action.THROTTLE
    await app.send(country="GB")
    assert (await app.send(country="FR")).action is Action.SHADOW


def test_a_score_that_asks_for_proof_wants_somebody_who_knows_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """As for any rule that asks."""
    with caplog.at_level(logging.WARNING):
        Trying(ABROAD, asks=False, risk=Risk(on_medium="throttle"))
        assert "the risk score" not in caplog.text
        Trying(ABROAD, asks=False, risk=Risk())
        assert "the risk score" in caplog.text


# All or nothing


async def test_what_the_score_refuses_was_charged_nowhere() -> None:
    """Two limits that only weigh are full together; a third counts what is let through."""
    app = Trying(busy("one"), busy("two"), RateLimit(by="phone", limits="2/hour"), risk=Risk())
    assert await app.allows()
    for _ in range(5):
        assert (await app.send()).action is Action.BLOCK
    assert await app.allows(address="198.51.100.1")  # the second to this number, not the seventh
    assert (await app.send(address="198.51.100.2")).action is Action.THROTTLE


async def test_a_score_below_the_bound_is_charged_like_any_other() -> None:
    """One full limit of two is medium; with proof, it is let through and counted."""
    app = Trying(busy("one"), RateLimit(by="phone", limits="2/hour"), risk=Risk())
    assert await app.allows()
    assert not await app.allows()
    assert await app.allows(proved=True)
    full = {finding.rule for finding in (await app.send(proved=True)).findings}
    assert full == {"one", "rate_limit", "risk"}


class Talkative(Rule):
    """A rule of one's own that finds more, or less, than its counters were declared to weigh."""

    judged_always = True
    says: float | None

    def counters(self, attempt: Attempt) -> Sequence[Counter]:
        """One that is full after one."""
        return (Window(self.name, "network", 1, 3600, Action.ALLOW),)

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        """Whatever it likes."""
        if self.says is None:
            return None
        return Finding(self.name, Action.ALLOW, "TALK", weight=self.says)


async def test_a_finding_weighs_what_its_rule_has_declared() -> None:
    """The store reckons with declared weights; a finding that says otherwise is put right."""
    app = Trying(Talkative(weight=1.5, says=100.0), risk=Risk())
    assert [(await app.send(proved=True)).score for _ in range(2)] == [1.0, 1.5]


async def test_what_was_not_charged_is_not_sent_even_if_nobody_says_why() -> None:
    """A rule whose counter is full, and that then finds nothing, has weighed all the same."""
    app = Trying(
        Talkative(weight=2.0, says=None), RateLimit(by="phone", limits="2/hour"), risk=Risk()
    )
    assert await app.allows()
    assert (await app.send()).action is Action.BLOCK
    assert await app.allows(address="198.51.100.1")


@given(
    weights=st.lists(st.floats(0.5, 3.0), min_size=1, max_size=5),
    mismatch=st.floats(0.5, 3.0),
    bounds=st.tuples(st.floats(1.01, 4.0), st.floats(1.0, 4.0)),
    proved=st.booleans(),
)
async def test_what_is_charged_is_what_is_let_through(
    weights: list[float], mismatch: float, bounds: tuple[float, float], proved: bool
) -> None:
    """For any weights and bounds, roundings included, the store and the guard agree."""
    low, factor = bounds
    rules: list[Rule] = [GeoMismatch(action="allow", weight=mismatch)]
    rules += [busy(f"b{i}", w, limits=f"{i + 1}/hour") for i, w in enumerate(weights)]
    counted = RateLimit(name="counted", by="phone", limits="5/hour", action="allow", weight=1.0)
    app = Trying(*rules, counted, risk=Risk(medium=low, high=low * factor))
    allowed = 0
    for n in range(7):
        country = "FR" if n % 2 else "GB"
        decision = await app.send(country=country, proved=proved)
        full = any(finding.rule == "counted" for finding in decision.findings)
        assert full == (allowed >= 5)
        allowed += decision.allowed


# What does not weigh


async def test_an_alert_about_the_budget_says_nothing_about_a_request() -> None:
    """It is a finding, and weighs nothing; the budget that is spent does."""
    app = Trying(
        Budget(day=0.4, hour=0.4, month=4, alert=0.01, challenge=1.0, reserved=0.0, weight=3.0),
        risk=Risk(),
    )
    decisions = [await app.send(phone, price=0.1) for phone in numbers(6, app)]
    assert [d.score for d in decisions] == [1.0] * 4 + [3.0] * 2
    assert decisions[3].findings[0].code == "BUDGET_ALERT"


def test_an_outage_says_nothing_about_a_request() -> None:
    rule = Conversion()
    watches = rule.counters(Trying().guard.attempt("+447400123456"))
    assert [rule.weighs(watch) for watch in watches] == [True] * 5 + [False]


# When the store is away


class Away(MemoryStore):
    """A store that never answers."""

    async def decide(self, question: Question) -> Answer:
        """Never."""
        raise StoreError("away")


@pytest.mark.parametrize("on_store_failure", ["local", "open", "closed"])
async def test_the_score_goes_on_without_the_store(on_store_failure: Any) -> None:
    """From what is known of the request alone, and from this process's own counters."""
    policy: dict[str, Any] = {"on_store_failure": on_store_failure}
    app = Trying(ABROAD, busy(), store=Away(), risk=Risk(on_medium="throttle"), **policy)
    decision = await app.send(country="FR")
    assert decision.degraded
    assert "RISK_MEDIUM" in {finding.code for finding in decision.findings}
    if on_store_failure == "local":
        assert await app.allows()
        assert "busy" in {f.rule for f in (await app.send()).findings}


async def test_every_store_refuses_by_the_score_alike(store: Store) -> None:
    """The same chain over memory, every server at hand and a cluster."""
    phone = RateLimit(by="phone", limits="2/hour")
    app = Trying(busy("one"), busy("two"), phone, store=store, risk=Risk())
    assert [(await app.send()).action for _ in range(4)] == [Action.ALLOW] + [Action.BLOCK] * 3
    assert await app.allows(address="198.51.100.1")
    assert not await app.allows(address="198.51.100.2")


# The policy


def test_a_file_has_a_table_for_it() -> None:
    policy = Policy.from_toml('send = "/s"\n[risk]\nmedium = 1.5\non_high = "shadow"\n')
    assert policy.risk == Risk(medium=1.5, on_high="shadow")


def test_without_the_table_nothing_acts_on_the_score() -> None:
    """The default chain already refuses for what it finds; see the docs for what a score adds."""
    assert Policy(send="/s").risk is None


@pytest.mark.parametrize(
    ("table", "path", "expected"),
    [
        ("medium = 1", "risk.medium", "a score above 1"),
        ("medium = 3", "risk.high", "at least medium"),
        ("medium = nan", "risk.medium", "a score above 1"),
        ("high = inf", "risk.high", "at least medium"),
        ('high = "2"', "risk.high", "a number"),
        ('mode = "on"', "risk.mode", "one of 'enforce', 'monitor', 'off'"),
        ('on_medium = "refuse"', "risk.on_medium", "one of 'allow'"),
        ('on_high = "allow"', "risk.on_high", "at least as strict as on_medium"),
        ('on_low = "challenge"', "risk.on_low", "one of high, medium"),
        ("hihg = 3", "risk.hihg", "did you mean 'high'?"),
    ],
)
def test_mistakes_in_the_table_are_named(table: str, path: str, expected: str) -> None:
    with pytest.raises(PolicyError) as raised:
        Policy.from_toml(f'send = "/s"\n[risk]\n{table}\n')
    assert raised.value.path == path
    assert expected in raised.value.expected


@pytest.mark.parametrize("risk", [5, "high", [1.25, 2]])
def test_anything_else_is_refused(risk: Any) -> None:
    with pytest.raises(PolicyError) as raised:
        Policy(send="/s", risk=risk)
    assert raised.value.path == "risk"


@pytest.mark.parametrize("weight", [0, -1.0, float("inf"), float("nan")])
def test_a_weight_is_a_factor_above_zero(weight: float) -> None:
    """Zero would clear a request of everything else."""
    with pytest.raises(PolicyError) as raised:
        Policy(send="/s", rules={"geo_mismatch": {"weight": weight}})
    assert raised.value.path == "rules.geo_mismatch.weight"


@pytest.mark.parametrize(
    ("score", "level"), [(0.5, "low"), (1.0, "low"), (1.25, "medium"), (2.0, "high")]
)
def test_levels_of_scores_can_be_asked_for(score: float, level: str) -> None:
    """For metrics and pages: ``policy.risk.level(decision.score)``."""
    assert Risk().level(score) == level
