"""The default chain: what it asks of real people, and what it lets attackers have."""

from __future__ import annotations

from typing import Any

import pytest

from pumpguard import Action, Decision, Guard, Policy
from pumpguard.challenges.base import Challenge
from pumpguard.counters import Reading
from pumpguard.intake.network import UnknownNetworks
from pumpguard.rules import Credit, Rule, SlidingBan
from pumpguard.testing import FakeClock, SimulatedHuman, make_attempt

DEFAULT = Policy(send="/s", home=["GB"], session="session", settled=True).chain
EMPTY = Reading(0, 0.0)

PRICE = 0.25
HUMAN = SimulatedHuman()


class App:
    """A guard with the default chain, for an app at home in Britain."""

    def __init__(self, challenge: Challenge | None = HUMAN, **policy: Any) -> None:
        self.clock = FakeClock()
        told = {"home": ["GB"], "settled": True, "daily_budget": 600.0, **policy}
        self.guard = Guard(
            Policy(send="/send", **told),
            clock=self.clock,
            challenge=challenge,
            networks=UnknownNetworks(),
        )
        self.guard.observations.hearing.hear()  # as in an app whose users verify
        self.asked = 0

    async def send(self, start: str, proved: bool = False, **facts: Any) -> Decision:
        """Somebody of their own, at an address of their own, far from all others' numbers."""
        self.asked += 1
        phone = f"{start}{self.asked * 7_654_321 % 10_000_000:07}"
        address = f"198.51.{self.asked // 250}.{self.asked % 250}"
        at = self.clock.advance(1.0)
        facts = {"price": PRICE, "address": address, **facts}
        return await self.guard.assess(make_attempt(phone, at=at, proved=proved, **facts))

    async def until(self, action: Action, start: str, most: int = 200, **facts: Any) -> int:
        """How many messages go out before the first such refusal."""
        for sent in range(most):
            decision = await self.send(start, **facts)
            if decision.action is action:
                return sent
            assert decision.allowed, decision.explain()
        raise AssertionError(f"{most} messages, and no {action}")


BANGLADESH, PORTUGAL = "+88017", "+35191"


async def test_a_risky_country_is_asked_for_proof_after_a_few_unverified_messages() -> None:
    """90 cents of two hours, at a budget of $600 a day."""
    assert await App().until(Action.CHALLENGE, f"{BANGLADESH}1") == 3


async def test_another_country_has_some_more() -> None:
    """$1 of half an hour, which is what all countries abroad have together."""
    assert await App().until(Action.CHALLENGE, PORTUGAL) == 4


async def test_where_nobody_could_check_a_proof_a_question_is_no_refusal() -> None:
    """What only asks is recorded; what has evidence refuses still."""
    app = App(challenge=None)
    for _ in range(40):
        decision = await app.send(PORTUGAL, price=0.05)
        assert decision.allowed, decision.explain()
    assert decision.allowed_because == "monitored"
    assert {found.rule for found in decision.findings} == {"country_credit", "abroad_challenge"}
    traveller = await app.send(PORTUGAL, price=0.05, country="CN")
    assert traveller.allowed


async def test_at_home_a_few_dimes_of_half_an_hour_are_asked_about() -> None:
    """42 cents, at a budget of $600 a day; forgiven in half an hour, because people come there."""
    app = App()
    assert await app.until(Action.CHALLENGE, "+44740", price=0.05) == 8
    app.clock.advance(1_800)
    assert (await app.send("+44740", price=0.05)).allowed


async def test_whoever_was_asked_and_comes_without_proof_gets_nothing_that_is_forgiven() -> None:
    """A bot's next try is behind a newcomer's, from whatever address he comes."""
    app = App()
    await app.until(Action.CHALLENGE, "+44740", price=0.05)
    bot = f"198.51.{app.asked // 250}.{app.asked % 250}"
    app.clock.advance(900)
    again = await app.send("+44740", price=0.05, address=bot)
    assert again.action is Action.CHALLENGE
    assert again.finding is not None
    assert again.finding.rule == "unanswered"
    assert (await app.send("+44740", price=0.05, address=bot, proved=True)).allowed
    assert (await app.send("+44740", price=0.05)).allowed


async def test_somebody_who_gets_no_code_may_ask_again_in_the_dearest_country() -> None:
    """Three times in all; a stranger of the same block has to wait for him."""
    app = App()
    for _ in range(3):
        facts = make_attempt("+8801712345678", price=0.36, at=app.clock.advance(90), proved=True)
        assert (await app.guard.assess(facts)).allowed
    facts = make_attempt("+8801712345999", price=0.36, at=app.clock.advance(90), proved=True)
    refused = await app.guard.assess(facts)
    assert refused.finding is not None
    assert refused.finding.evidence["by"] == "prefix:3"


async def test_verified_messages_ask_nothing_of_anybody() -> None:
    app = App()
    for _ in range(60):
        decision = await app.send(PORTUGAL)
        assert decision.allowed, decision.explain()
        app.clock.advance(20.0)
        app.guard.verified(decision.attempt.phone.e164)
        await app.guard.settled()


async def test_proof_is_not_enough_for_all_countries_together() -> None:
    """$6 of half an hour, wherever it goes."""
    app, sent = App(), 0
    countries = (
        "+35191",
        "+30697",
        "+4670",
        "+3361",
        "+43660",
        "+39320",
        "+3460",
        "+3247",
        "+4178",
    )
    for n in range(200):
        start = countries[n % len(countries)]
        decision = await app.send(start, proved=True)
        if not decision.allowed:
            assert decision.finding is not None
            if decision.finding.rule == "abroad_credit":
                break
            assert str(decision.finding.evidence["by"]).startswith(
                "prefix:"
            )  # by chance in one block
            continue
        sent += 1
    assert 20 <= sent <= 27


@pytest.mark.parametrize(("budget", "usd"), [(10.0, 1.0), (600.0, 1.5), (6_000.0, 15.0)])
def test_lines_grow_with_what_a_day_may_cost(budget: float, usd: float) -> None:
    """And have room for the dearest message, whatever the budget."""
    chain = Policy(send="/s", settled=True, home=["GB"], daily_budget=budget).chain
    (line,) = (r for r in chain if isinstance(r, Credit) and r.name == "country_credit")
    assert line.lines["country"] == pytest.approx(usd)


@pytest.mark.parametrize(("home", "usd", "ratio"), [(["GB"], 60.0, 0.3), ([], 150.0, 1.0)])
def test_a_home_country_may_owe_what_a_usual_day_leaves(
    home: list[str], usd: float, ratio: float
) -> None:
    """Of a budget of twice a busy day: so may every country where none is named. Others may not."""
    rules = {
        rule.name: rule
        for rule in Policy(send="/s", settled=True, home=home, daily_budget=600).chain
        if isinstance(rule, Credit)
    }
    other = rules["country_day_credit"]
    assert (other.lines, other.ratio) == ({"country": usd}, ratio)
    if home:
        own = rules["home_day_credit"]
        assert (own.lines, own.ratio, own.regions) == ({"country": 150.0}, 1.0, tuple(home))


def test_a_ban_forgets_rules_that_are_turned_off() -> None:
    """One change is enough; and where nothing asks for proof, nobody is asked again."""
    asking = ("home_credit", "country_credit", "abroad_challenge", "relay_credit")
    days = ("home_day_credit", "country_day_credit")
    lines = ("credit", "network_credit", *days, *asking, "abroad_part", "abroad_credit")

    def bans(*off: str) -> dict[str, SlidingBan]:
        rules = {name: {"mode": "off"} for name in off}
        chain = Policy(send="/s", settled=True, home=["GB"], rules=rules).chain
        return {rule.name: rule for rule in chain if isinstance(rule, SlidingBan)}

    assert next(iter(bans("number")["strike_ban"].after)) == "prefix_pattern"
    assert tuple(bans(*lines)["unanswered"].after) == ("conversion",)
    assert "unanswered" not in bans(*lines, "conversion")


def test_without_a_home_there_is_no_abroad() -> None:
    names = {rule.name for rule in Policy(send="/s", settled=True).chain}
    assert "country_credit" in names
    assert not names & {"home_credit", "home_day_credit", "abroad_credit", "abroad_challenge"}


def test_whoever_hears_of_no_verifications_keeps_the_plain_cap() -> None:
    """Elsewhere a line of credit asks, which those who verify do not use up."""

    def caps(**policy: Any) -> set[str]:
        return {rule.name for rule in Policy(send="/s", **policy).chain} & {"country_limit"}

    assert caps() == {"country_limit"}
    assert caps(settled=True) == set()


@pytest.mark.parametrize("rule", DEFAULT, ids=lambda rule: rule.name)
def test_where_no_counter_is_full_no_rule_finds_anything(rule: Rule) -> None:
    """Also if it is asked all the same, as for the limits that stay visible under a shadow."""
    attempt = make_attempt(country="GB", session="s")
    assert rule.judge(attempt, [EMPTY for _ in rule.counters(attempt)]) is None
