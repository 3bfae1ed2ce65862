"""Budgets: dollars per hour, day and month, with a share kept for customers."""

from __future__ import annotations

from typing import Any

import pytest

from pumpguard import Action, PolicyError
from pumpguard.rules import Budget, Conversion
from tests.rules.trying import Trying, numbers

PRICE = 0.25


def trying(**settings: Any) -> Trying:
    """A budget on its own; its hour may spend the whole day's."""
    return Trying(Budget(**{"day": 1.0, "hour": 1.0, "reserved": 0.0, **settings}), settled=True)


async def spend(app: Trying, messages: int, **facts: Any) -> list[Action]:
    return [
        (await app.send(phone, price=PRICE, **facts)).action for phone in numbers(messages, app)
    ]


async def test_no_more_than_the_budget_is_spent() -> None:
    """Four messages of a quarter are a dollar; proof is asked for before that."""
    app = trying(challenge=1.0)
    assert await spend(app, 5) == [Action.ALLOW] * 4 + [Action.THROTTLE]
    app.clock.advance(86_400 * 1.1)
    assert await spend(app, 1) == [Action.ALLOW]


async def test_a_message_that_does_not_fit_is_refused_and_a_cheaper_one_is_not() -> None:
    app = trying(challenge=1.0)
    await spend(app, 3)
    assert not await app.allows("+447400999001", price=0.26)
    assert await app.allows("+447400999002", price=0.24)


async def test_an_hour_has_a_sixth_of_the_day_unless_told() -> None:
    app = trying(day=6.0, hour=None, challenge=1.0)
    assert (await spend(app, 5)).count(Action.ALLOW) == 4
    app.clock.advance(3_600 * 1.1)
    assert (await spend(app, 5)).count(Action.ALLOW) == 4


async def test_near_the_end_proof_is_asked_for() -> None:
    """From 80 % on an attempt without proof is challenged; one with proof gets the rest."""
    app = trying(day=10 * PRICE, hour=10 * PRICE)
    assert await spend(app, 9) == [Action.ALLOW] * 8 + [Action.CHALLENGE]
    assert await spend(app, 3, proved=True) == [Action.ALLOW] * 2 + [Action.THROTTLE]


async def test_who_has_verified_before_is_served_when_the_open_share_is_spent() -> None:
    """An attacker who empties the open share locks no customer out."""
    app = trying(day=10 * PRICE, hour=10 * PRICE, reserved=0.2, challenge=1.0)
    customer = "+447400777001"
    assert await app.allows(customer, price=PRICE)
    await app.verified(customer)
    assert (await spend(app, 9)).count(Action.ALLOW) == 7
    app.clock.advance(61)
    served = await app.send(customer, price=PRICE)
    assert served.allowed
    assert served.known
    assert await app.allows(customer, price=PRICE)
    assert not await app.allows(customer, price=PRICE)


async def test_a_verified_dollar_counts_a_part_in_the_hour_and_all_in_the_day() -> None:
    """A launch is not held for pumping, and costs what it costs."""
    app = trying(day=24 * PRICE, hour=8 * PRICE, challenge=1.0, verified=0.25)
    served = 0
    for phone in numbers(40, app):
        if await app.allows(phone, price=PRICE):
            served += 1
            await app.verified(phone)
    assert served == 24
    app = trying(day=24 * PRICE, hour=8 * PRICE, challenge=1.0, verified=0.5)
    for phone in numbers(4, app):
        await app.allows(phone, price=PRICE)
        await app.verified(phone)
    assert (await spend(app, 9)).count(Action.ALLOW) == 6


async def test_codes_that_look_bought_count_nearly_in_full() -> None:
    """A verification is worth as much here as it is for `conversion`."""
    budget = Budget(day=24 * PRICE, hour=8 * PRICE, reserved=0.0, challenge=1.0, verified=0.25)
    app = Trying(budget, Conversion(by=["network"], minimum=1_000), settled=True)
    served = 0
    for phone in numbers(24, app):
        if await app.allows(phone, price=PRICE):
            served += 1
            await app.verified(phone)  # at once, as no person does
    assert served == 8


async def test_near_the_days_end_proof_is_asked_of_those_who_do_not_verify() -> None:
    """A day that is spent on people raises the alert at 80 %, and asks nobody until it is spent."""
    for verify, asked in ((True, 0), (False, 2)):
        app = trying(day=10 * PRICE, hour=10 * PRICE, verified=0.1)
        actions = []
        for phone in numbers(11, app):
            actions.append((await app.send(phone, price=PRICE)).action)
            if verify and actions[-1] is Action.ALLOW:
                await app.verified(phone)
        if verify:
            assert actions == [Action.ALLOW] * 10 + [Action.THROTTLE]
        assert actions[:10].count(Action.CHALLENGE) == asked
        assert [alert.code for alert in app.alerts][:2] == ["BUDGET_ALERT", "BUDGET_LOW"]


async def test_proof_is_no_way_around_what_asks_by_another_sum() -> None:
    """What is sent with proof counts in it too."""
    app = trying(day=10 * PRICE, hour=9 * PRICE, verified=0.1)
    assert await spend(app, 7, proved=True) == [Action.ALLOW] * 7
    app.clock.advance(3_600 * 1.1)
    assert await spend(app, 2) == [Action.ALLOW, Action.CHALLENGE]


async def test_half_way_an_alert_is_raised_and_nobody_is_refused() -> None:
    app = trying(day=10 * PRICE, hour=10 * PRICE, challenge=1.0)
    await spend(app, 10)
    assert [(alert.code, alert.rule) for alert in app.alerts] == [("BUDGET_ALERT", "budget")]
    await spend(app, 1)
    assert [alert.code for alert in app.alerts] == ["BUDGET_ALERT", "BUDGET_SPENT"]
    assert app.alerts[-1].evidence["used"] == pytest.approx(2.5)


async def test_each_country_may_have_a_budget_and_a_risky_one_a_fifth_of_it() -> None:
    app = trying(by="country", challenge=1.0, high_risk_factor=0.25, high_risk=["NG"])
    nigeria = [await app.allows(f"+23480212345{i:02}", price=PRICE) for i in range(3)]
    assert nigeria == [True, False, False]
    assert (await spend(app, 5)).count(Action.ALLOW) == 4


async def test_a_monitored_budget_refuses_nobody() -> None:
    app = trying(mode="monitor", challenge=1.0)
    assert await spend(app, 6) == [Action.ALLOW] * 6


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        ({"day": 0.0}, "rules.budget.day"),
        ({"day": 1.0, "hour": 2.0}, "rules.budget.day"),
        ({"day": 1.0, "month": 0.5}, "rules.budget.day"),
        ({"day": 1.0, "reserved": 1.0}, "rules.budget.reserved"),
        ({"day": 1.0, "challenge": 0.0}, "rules.budget.challenge"),
        ({"day": 1.0, "alert": 2.0}, "rules.budget.alert"),
        ({"day": 1.0, "verified": 0.0}, "rules.budget.verified"),
        ({"day": 1.0, "verified": 1.1}, "rules.budget.verified"),
        ({"day": 1.0, "high_risk_factor": 0.0}, "rules.budget.high_risk_factor"),
        ({"day": "1"}, "rules.budget.day"),
        ({"day": 1.0, "by": "phone"}, "rules.budget.by"),
    ],
)
def test_a_budget_that_makes_no_sense_is_refused(settings: dict[str, Any], path: str) -> None:
    with pytest.raises(PolicyError) as caught:
        Budget(**settings)
    assert caught.value.path == path
