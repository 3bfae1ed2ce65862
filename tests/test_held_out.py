"""The hold-out: a share of what would be refused goes out, up to its dollars a day."""

from __future__ import annotations

from typing import Any

import pytest

from pumpguard import Action, Decision, Guard, Policy, PolicyError
from pumpguard.intake.network import UnknownNetworks
from pumpguard.money.exposure import exposure
from pumpguard.rules import Budget, Number, RateLimit
from pumpguard.rules.hold_out import HoldOut
from pumpguard.testing import FakeClock

DAY = 86_400
ONE_A_DAY = RateLimit(name="one", by="everything", limits="1/day", action="block")
PHONES = tuple(f"+447400{123_456 + 97 * i}" for i in range(400))


def guard(clock: FakeClock, **settings: Any) -> Guard:
    """Whose rule refuses all but the first message of a day; each costs five cents."""
    settings = {"rules": [ONE_A_DAY], "hold_out": {"share": 1.0, "day": 1.0}, **settings}
    policy = Policy(send="/s", price_overrides={"GB": 0.05}, secret="s" * 32, **settings)
    return Guard(policy, clock=clock, networks=UnknownNetworks())


async def decided(guarded: Guard, *phones: str) -> list[Decision]:
    """One attempt for each number."""
    return [await guarded.decide(guarded.attempt(phone)) for phone in phones]


async def test_what_is_held_out_goes_out_and_shows_what_would_have_refused_it() -> None:
    """It is told from other admissions, has a ticket, and no reference: nobody was refused."""
    first, held = await decided(guard(FakeClock(), settled=True), *PHONES[:2])
    assert first.allowed_because is None
    assert (held.allowed, held.allowed_because, held.reference) == (True, "held_out", "")
    assert [(f.rule, f.mode) for f in held.findings] == [("one", "monitor")]
    assert held.finding is None
    assert held.reservation


async def test_it_ends_with_its_dollars_and_goes_on_the_next_day() -> None:
    """Twenty messages of five cents are a dollar; all others are refused as ever."""
    clock = FakeClock()
    guarded = guard(clock)
    decisions = await decided(guarded, *PHONES[:40])
    assert [d.allowed for d in decisions] == [True] * 21 + [False] * 19
    assert {d.action for d in decisions[21:]} == {Action.BLOCK}
    assert [d.code for d in decisions[30].findings] == ["RATE_LIMIT"]
    clock.advance(1.1 * DAY)  # a day is counted in slices
    assert sum(d.allowed for d in await decided(guarded, *PHONES[40:80])) == 21


async def test_a_share_of_numbers_is_drawn_and_each_day_anew() -> None:
    """Coming again draws no second time. In 400 draws of a fifth, 50 to 115 are a matter of course
    (four standard deviations)."""
    clock = FakeClock(1_700_000_000 // DAY * DAY)
    guarded = guard(clock, hold_out={"share": 0.2, "day": 900.0})
    await decided(guarded, "+447400999999")
    drawn = [decision.allowed for decision in await decided(guarded, *PHONES)]
    assert 50 <= sum(drawn) <= 115
    assert [decision.allowed for decision in await decided(guarded, *PHONES)] == drawn
    clock.advance(DAY)
    again = [decision.allowed for decision in await decided(guarded, *PHONES)]
    assert again[1:] != drawn[1:]


@pytest.mark.parametrize(
    ("rules", "phone"),
    [
        ([ONE_A_DAY, Budget(day=0.06, hour=0.06)], PHONES[1]),
        ([ONE_A_DAY, Number()], "+449098790000"),
    ],
    ids=["a budget", "a premium number"],
)
async def test_what_bounds_money_holds(rules: list[Any], phone: str) -> None:
    """The caps that the operator has set, and numbers whose price no list has."""
    _, decision = await decided(guard(FakeClock(), rules=rules), PHONES[0], phone)
    assert decision.action > Action.CHALLENGE


async def test_what_a_person_has_ordered_holds() -> None:
    """A deny list, and a posture."""
    guarded = guard(FakeClock())
    await decided(guarded, PHONES[0])
    await guarded.overrides.deny("number", PHONES[1], author="ops")
    listed, other = await decided(guarded, *PHONES[1:3])
    assert (listed.action, other.allowed_because) == (Action.BLOCK, "held_out")
    await guarded.overrides.posture("closed", author="ops")
    assert not (await decided(guarded, PHONES[3]))[0].allowed


async def test_no_more_than_the_policy_says() -> None:
    """Nothing by default, and nothing more where nothing is refused."""
    assert not (await decided(guard(FakeClock(), hold_out=None), *PHONES[:2]))[1].allowed
    watching = await decided(guard(FakeClock(), mode="monitor"), *PHONES[:2])
    assert [d.allowed_because for d in watching] == [None, "monitored"]


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        ({"share": 0, "day": 5.0}, "hold_out.share"),
        ({"share": 0.01, "day": 0}, "hold_out.day"),
        ({"share": 0.01}, "hold_out.day"),
        ({"share": 0.01, "day": 5.0, "hour": 1.0}, "hold_out.hour"),
    ],
)
def test_a_bad_one_is_refused(settings: dict[str, float], path: str) -> None:
    """With the path of what is wrong."""
    with pytest.raises(PolicyError) as refused:
        Policy(send="/s", hold_out=settings)  # type: ignore[arg-type] # as a TOML file has it
    assert refused.value.path == path


def test_the_printed_bound_knows_it() -> None:
    """It adds its dollars, never beyond the budget, which holds for it too."""
    rules = [RateLimit(name="cap", by="everything", limits="10/day"), Budget(day=3, hour=3)]
    prices = {"GB": 0.05}

    def bound(hold_out: HoldOut | None) -> float:
        policy = Policy(
            send="/s", rules=rules, price_overrides=prices, hold_out=hold_out, refund_share=0
        )
        return exposure(policy, countries=["GB"]).day.usd

    assert bound(None) == pytest.approx(0.5)
    assert bound(HoldOut(share=0.01, day=1.0)) == pytest.approx(1.5)
    assert bound(HoldOut(share=0.01, day=9.0)) == pytest.approx(3.0)
