"""Exposure: a bound that nobody exceeds, and that says why it holds."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pumpguard import Finding, Guard, Policy, PolicyError, rules
from pumpguard.attempt import Attempt
from pumpguard.counters import Counter, Credit, Distinct, Neighbours, Reading, Spend, Window
from pumpguard.decision import Action
from pumpguard.intake.network import UnknownNetworks
from pumpguard.money.exposure import Exposure, exposure
from pumpguard.money.solve import Bound
from pumpguard.rules import (
    Budget,
    GeoMismatch,
    Network,
    Number,
    PrefixPattern,
    RateLimit,
    Rule,
    SlidingBan,
)
from pumpguard.testing import FakeClock, make_attempt
from tests.money.exposure_search import run
from tests.money.random_policies import Declares

PRICES = {"GB": 0.05, "DE": 0.1, "US": 0.01, "CA": 0.02, "BD": 0.25}


def of(
    *rules: Any, networks: int | None = None, numbers: int | None = None, **how: Any
) -> Exposure:
    policy = Policy(send="/s", rules=rules, price_overrides=PRICES, **how)
    return exposure(policy, networks=networks, numbers=numbers, countries=PRICES)


def total(found: Exposure) -> tuple[Any, Any]:
    return pytest.approx(found.hour.usd), pytest.approx(found.day.usd)


def cap(limits: str, by: str | Sequence[str] = "everything", **how: Any) -> RateLimit:
    return RateLimit(name=how.pop("name", "cap"), by=by, limits=limits, **how)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32))
async def test_no_interleaving_spends_more(seed: int) -> None:
    """Random policies, random greedy attackers; `exposure_search` runs them by the 100,000."""
    await run(seed)


def test_room_may_be_earned_and_only_by_who_verifies() -> None:
    """The bound is the most that a limit may become; who enters no code is held to the limit."""
    found = of(cap("10/hour; 50/day", earned=4), settled=True)
    assert total(found) == (40 * 0.25, 200 * 0.25)
    assert tuple(found.unverified) == (10 * 0.25, 50 * 0.25)


def test_before_the_first_verification_is_heard_all_room_is_there() -> None:
    """And the rules that need verifications only monitor. Where none are told there is no such
    time."""
    line = rules.Credit(lines={"everything": 1.0})
    found = of(cap("10/hour; 50/day", earned=4), line, settled=True)
    assert found.unverified.day < 10.0
    assert found.unheard == (40 * 0.25, 200 * 0.25)
    assert of(cap("10/hour; 50/day")).unheard is None


def test_what_is_spent_on_everything() -> None:
    """At the dearest price; and a window of 40 minutes fits into an hour twice."""
    assert total(of(cap("10/hour; 50/day"))) == (2.5, 12.5)
    assert total(of(cap("10 per 40 minute"))) == (5.0, 90.0)
    found = of(cap("10/hour; 50/day"))
    assert found.bounded
    assert found.day.rules == {"cap"}
    assert found.without == {"cap": (inf, inf)}
    assert not of().bounded


def test_countries_add_up_and_the_dearest_are_filled_first() -> None:
    """By country alone: a sum. With a total of messages: from the dearest down."""
    each = cap("4/hour; 10/day", "country", name="each")
    assert total(of(each)) == (4 * 0.43, 10 * 0.43)
    found = of(each, cap("6/hour"))
    assert found.hour.usd == pytest.approx(4 * 0.25 + 2 * 0.1)
    assert {c.country: c.hour.usd for c in found.countries}["GB"] == pytest.approx(4 * 0.05)
    assert {c.country: c.day.rules for c in found.countries}["GB"] == {"each"}
    assert found.without["each"].hour == pytest.approx(6 * 0.25)
    assert found.without["cap"].hour == pytest.approx(4 * 0.43)


def test_calling_codes_are_shared() -> None:
    """The US and Canada are one subject."""
    found = of(cap("10/day", "calling_code"))
    assert found.day.usd == pytest.approx(10 * (0.02 + 0.05 + 0.1 + 0.25))


def test_what_the_attacker_has_plenty_of_bounds_nothing() -> None:
    """Until somebody says how much of it he has; keys he can leave out never do."""
    for by in ("network", "phone", "prefix:3", ("network", "country"), ("phone", "network")):
        assert not of(cap("1/day", by)).bounded
    for by in ("session", "account", "device", "site", "client_country", ("session", "country")):
        assert not of(cap("1/day", by), networks=1, numbers=1).bounded
    assert of(cap("3/day", "phone"), numbers=4).day.usd == pytest.approx(12 * 0.25)
    assert of(cap("3/day", "network"), networks=4).day.usd == pytest.approx(12 * 0.25)
    # Four numbers lie in four blocks at most, if they are long enough to lie in one.
    blocks = {c.country: c.day.usd for c in of(cap("3/day", "prefix:3"), numbers=4).countries}
    assert blocks["US"] == pytest.approx(12 * 0.01)
    assert blocks["DE"] == inf
    both = of(cap("3/day", ("network", "country")), networks=2)
    assert both.day.usd == pytest.approx(6 * 0.43)


def test_distinct_counts_bound_through_what_they_count() -> None:
    """Five numbers a day at two messages each are ten messages, and both rules are needed."""
    few = Declares("few", (Distinct("few", "everything", 5, 86_400, "phone"),))
    found = of(few, cap("2/day", "phone"))
    assert found.day.usd == pytest.approx(10 * 0.25)
    assert found.day.rules == {"few", "cap"}
    assert found.without["few"].day == inf
    assert not of(few).bounded


def test_what_only_slows_an_attacker_is_not_counted() -> None:
    """Challenges are sold, addresses are plenty, blocks forget, monitored rules do nothing."""
    near = Declares("near", (Neighbours("near", "prefix:4", 1, 86_400, 9_999),))
    for rule in (
        cap("1/day", action="challenge"),
        cap("1/day", mode="monitor"),
        SlidingBan(strikes="1/day"),
        PrefixPattern(neighbours=1, blocks={"100": "1/day"}),
        near,
    ):
        assert not of(rule).bounded, rule


@pytest.mark.parametrize("spares", ["proved", "vpn", "session", "abroad"])
def test_a_rule_is_held_to_its_weakest_word(spares: str) -> None:
    """The attacker is whoever it spares, or at least whom it is milder to."""
    strict, mild = Window("r", "everything", 2, 86_400), Window("r", "everything", 8, 86_400)
    assert not of(Declares("r", (strict,), (), spares)).bounded
    assert of(Declares("r", (strict,), (mild,), spares)).day.usd == pytest.approx(8 * 0.25)


def test_a_region_that_is_spared_is_the_way_out() -> None:
    """And only its own bound counts then."""
    found = of(cap("10/day", except_regions=["GB"]))
    assert not found.bounded
    assert {c.country: c.day.usd for c in found.countries}["DE"] == pytest.approx(1.0)
    found = of(cap("10/day", except_regions=["GB"]), cap("7/day", "country", name="each"))
    assert found.day.usd == pytest.approx(7 * 0.05 + 7 * 0.25 + 3 * 0.1)


def test_a_rule_that_reads_the_number_may_spare_some() -> None:
    """Which ones cannot be tried, so it is not relied on."""

    class Odd(Rule):
        def counters(self, attempt: Attempt) -> Sequence[Counter]:
            return (
                (Window("odd", "everything", 1, 60),) if attempt.phone.e164[-1] in "13579" else ()
            )

        def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
            return None

    assert not of(Odd()).bounded


def test_what_is_refused_outright_costs_nothing() -> None:
    """Whole regions; not lines or addresses, of which there are others."""
    found = of(Number(refused_regions=["BD", "DE"]), cap("10/day"))
    assert found.day.usd == pytest.approx(10 * 0.05)
    by_country = {c.country: c.day for c in found.countries}
    assert by_country["BD"] == Bound(0.0, frozenset({"number"}))
    assert found.without["number"].day == pytest.approx(10 * 0.25)
    everything = of(Number(only_regions=["FR"]))
    assert everything.bounded
    assert everything.day.usd == 0
    for rule in (Number(), Network(), Network(only_countries=["FR"]), GeoMismatch(action="block")):
        assert not of(rule).bounded, rule


def test_satellites_are_destinations_too() -> None:
    """Numbers of no country: refused by the default chain, and otherwise at the dearest price."""
    table = Policy(send="/s").price_table
    with_number = exposure(Policy(send="/s", rules=[Number(), cap("10/day", "country")]))
    without = exposure(Policy(send="/s", rules=[cap("10/day", "country")]))
    usd = {c.country: c.day.usd for c in with_number.countries}
    assert usd["+870"] == 0
    assert {c.country: c.day.usd for c in without.countries}["+870"] == pytest.approx(
        10 * table.unknown
    )
    assert len(without.countries) > 250


def test_money_is_counted_in_dollars() -> None:
    """`Spend` is a bound whatever the prices."""
    spend = Spend("m", "everything", 2_000_000, 86_400, reserved=400_000)
    assert total(of(Declares("m", (spend,)))) == (2.0, 2.0)
    share = Spend("m", "everything", 1_000_000, 86_400, action=Action.CHALLENGE)
    assert of(Declares("m", (share,), (spend,), "proved")).day.usd == 2.0
    each = Declares("each", (Spend("each", "country", 500_000, 3600),))
    assert of(each).hour.usd == 2.5
    assert of(each, cap("3/hour"), refund_share=0.0).hour.usd == pytest.approx(0.5 + 0.1)


def test_who_verifies_has_more_of_the_hour_and_not_of_the_day() -> None:
    """A verified dollar counts a quarter in the hour: four times as much, unless the day's is less.
    Who enters no code has the hour's share."""
    found = of(Budget(day=30.0, hour=5.0, verified=0.25), settled=True, refund_share=0.0)
    assert total(found) == (20.0, 30.0)
    assert found.unverified == pytest.approx((5.0, 30.0))
    found = of(Budget(day=30.0, hour=10.0, verified=0.25), settled=True, refund_share=0.0)
    assert total(found) == (30.0, 30.0)


def test_a_share_that_depends_on_the_attempt_is_the_least_of_them() -> None:
    """What the attacker may choose, he does."""
    half, quarter = (Spend("m", "everything", 1_000_000, 3_600, verified=v) for v in (0.5, 0.25))
    found = of(Declares("m", (half,), (quarter,), "vpn"), refund_share=0.0)
    assert found.hour.usd == pytest.approx(4.0)


def test_credit_bounds_who_cannot_verify() -> None:
    """Beside the total, which is about somebody who can."""
    credit = Declares("c", (Credit("c", "everything", 1_000_000, 86_400),))
    found = of(credit, cap("100/day"))
    assert found.day.usd == 25.0
    # Forgiven by the thousandth, of which 42 may begin in an hour; and one number twice again.
    assert found.unverified == pytest.approx((1.542, 2.5))


async def test_a_debt_that_regions_share_is_forgiven_at_the_longest_lines_pace() -> None:
    """A message a minute to Great Britain, nearly free, makes room for one to Bangladesh."""
    lines = rules.Credit(
        lines={"everything": 1.0}, high_risk_factor=0.1, high_risk=["BD"], seconds=6_000
    )
    few = Budget(day=0.1, hour=0.1, except_regions=["BD"], reserved=0.0)
    prices = {"GB": 0.0001, "BD": 0.01}
    policy = Policy(
        send="/s", rules=[lines, few], settled=True, price_overrides=prices, refund_share=0.0
    )
    bound = exposure(policy, countries=prices).unverified.hour
    clock, spent = FakeClock(), 0.0
    guard = Guard(policy, clock=clock, networks=UnknownNetworks())
    for _minute in range(1, 60):
        for phone, region in (("+447400000001", "GB"), ("+8801812000001", "BD")):
            attempt = make_attempt(phone, price=prices[region], at=clock.now)
            spent += prices[region] * (await guard.decide(attempt)).allowed
        clock.now += 60
    own = 0.1 + 0.1 * 3_600 / 6_000
    assert own + 0.1 < spent <= bound == pytest.approx(0.1 + 0.6 + 0.1 + 2 * 0.01)


def test_prices_round_up() -> None:
    """A price of one and a half millionths counts as two."""
    policy = Policy(send="/s", rules=[cap("1000000/day")], price_overrides={"GB": 0.0000015})
    assert exposure(policy, countries=["GB"]).day.usd == pytest.approx(2.0)


def test_while_the_store_is_away() -> None:
    """Each worker has its share, at least one message; or nothing, or everything."""
    assert of(cap("10/day"), workers=4).away.day == pytest.approx(4 * 2 * 0.25)
    assert of(cap("2/day"), workers=4).away.day == pytest.approx(4 * 0.25)
    assert of(cap("10/day"), on_store_failure="open").away == (inf, inf)
    assert of(cap("10/day"), on_store_failure="closed").away == (0.0, 0.0)


def test_a_broken_rule_is_silent_here_too() -> None:
    """As under a guard."""

    class Broken(Rule):
        def counters(self, attempt: Attempt) -> Sequence[Counter]:
            raise RuntimeError

        def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
            raise RuntimeError

    assert not of(Broken()).bounded


def test_a_count_of_attempts_with_two_limits_is_none() -> None:
    """Asked with the lower limit, it may forget what the higher one would have to know."""
    strict, mild = (Window("r", "everything", limit, 86_400, counts="attempts") for limit in (2, 8))
    assert of(Declares("r", (strict,))).bounded
    assert of(Declares("r", (strict,), (mild,), "session")).day.usd > 1e9


def test_a_rule_that_reads_too_much_is_not_relied_on() -> None:
    """There is an end to what can be tried."""

    class Nosy(Rule):
        def counters(self, attempt: Attempt) -> Sequence[Counter]:
            kinds = (attempt.phone.line_type, attempt.client.kind, attempt.phone.valid)
            keys = (attempt.account, attempt.device, attempt.session, attempt.client.site)
            return (Window("nosy", "everything", 1, 60),) if kinds or keys else ()

        def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
            return None

    assert not of(Nosy()).bounded


def test_refunds_by_share_of_the_hours_budget() -> None:
    """Where the policy has a budget and lets a share of it come back."""

    budget = Budget(day=2.0, hour=2.0, reserved=0.0)
    policy = Policy(send="/s", rules=[budget], daily_budget=500.0, refund_share=0.05)
    found = exposure(policy, countries=["GB"])
    back = round(500 / 6 * 0.05, 6)
    assert total(found) == (2.0 + back, 2.0 + 24 * back)


def test_questions_that_make_no_sense_are_refused() -> None:
    """With their names."""
    policy = Policy(send="/s")
    with pytest.raises(PolicyError, match="numbers"):
        exposure(policy, numbers=-1)
    with pytest.raises(PolicyError, match="countries"):
        exposure(policy, countries=["ZZ"])
