"""Lines of credit: what a subject may cost before anybody has entered a code."""

from __future__ import annotations

from typing import Any

import pytest

from pumpguard import Action, Guard, Policy, PolicyError
from pumpguard.rules import Credit
from pumpguard.testing import FakeClock, SimulatedHuman, make_attempt
from tests.rules.trying import Trying, numbers

PRICE = 0.25


def trying(by: str = "country", usd: float = 1.0, **settings: Any) -> Trying:
    return Trying(Credit(lines={by: usd}, **settings), settled=True)


async def test_an_unverified_subject_costs_no_more_than_its_line() -> None:
    app = trying()
    sent = [await app.send(phone, price=PRICE) for phone in numbers(6, app)]
    assert [decision.allowed for decision in sent] == [True] * 4 + [False] * 2
    finding = sent[-1].finding
    assert finding is not None
    assert finding.code == "CREDIT_SPENT"
    assert finding.evidence == {"by": "country", "unverified": 1.0, "line": 1.0}


async def test_who_owes_nothing_has_one_message_however_dear() -> None:
    """A block's line of 40 cents would refuse every number of a country that costs 46, for ever."""
    app = trying(by="prefix:3", usd=0.4)
    first, second, *_ = numbers(3, app)
    assert await app.allows(first, price=0.46)
    assert not await app.allows(second, price=0.46)
    await app.verified(first)
    assert await app.allows(second, price=0.46)


async def test_a_verification_pays_its_message_back() -> None:
    """An app whose users enter their codes never notices the line."""
    app = trying()
    for phone in numbers(40, app):
        assert await app.allows(phone, price=PRICE)
        await app.verified(phone)


async def test_credit_is_earned() -> None:
    """Forty verified dollars a day let twelve stand unverified the day after."""
    app = trying()
    for phone in numbers(160, app):
        assert await app.allows(phone, price=PRICE)
        await app.verified(phone)
    app.clock.advance(86_400)
    sent = [await app.allows(phone, price=PRICE) for phone in numbers(60, app)]
    assert sent.count(True) == 48


async def test_debts_are_forgiven_evenly() -> None:
    """In thousandths of the time: a quarter of the line takes a quarter of a day."""
    app = trying()
    for phone in numbers(4, app):
        assert await app.allows(phone, price=PRICE)
    app.clock.advance(0.248 * 86_400)
    assert not await app.allows("+447400555001", price=PRICE)
    app.clock.advance(0.003 * 86_400)
    assert await app.allows("+447400555001", price=PRICE)


async def test_proof_may_be_asked_for_before_it_turns_out_to_be_no_use() -> None:
    """What is refused costs the attacker a solution, and tells him nothing."""
    app = trying(usd=0.25, ask_first=True)
    first, second = numbers(2, app)
    assert await app.allows(first, price=PRICE)
    assert (await app.send(second, price=PRICE)).action is Action.CHALLENGE
    assert (await app.send(second, price=PRICE, proved=True)).action is Action.THROTTLE
    await app.verified(first)
    assert await app.allows(second, price=PRICE)


async def test_an_address_answers_for_its_own_messages() -> None:
    """Whoever verifies at another address pays back what was sent from this one."""
    app = trying("network")
    here = [await app.allows(phone, "203.0.113.1", price=PRICE) for phone in numbers(5, app)]
    assert here == [True] * 4 + [False]
    assert await app.allows("+447400555002", "203.0.113.2", price=PRICE)
    await app.verified("+447400000000")  # the first of them, sent from the first address
    assert await app.allows("+447400555003", "203.0.113.1", price=PRICE)


def test_without_verifications_it_cannot_work_and_says_so() -> None:
    with pytest.raises(PolicyError) as caught:
        Policy(send="/send", rules=[Credit()])
    assert caught.value.path == "verify"


async def test_action_and_risk_are_the_operators_to_choose() -> None:
    app = trying(action="challenge", high_risk_factor=0.25)
    assert await app.allows("+2348021234501", price=PRICE)
    asked = await app.send("+2348021234502", price=PRICE)
    assert asked.action is Action.CHALLENGE
    assert await app.allows("+2348021234502", price=PRICE, proved=True)


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        ({"lines": {}}, "rules.credit.lines"),
        ({"lines": {"the planet": 1.0}}, "rules.credit.lines.the planet"),
        ({"lines": {"country": 0.0}}, "rules.credit.lines.country"),
        ({"ratio": 2.0}, "rules.credit.ratio"),
        ({"seconds": 0}, "rules.credit.seconds"),
        ({"high_risk_factor": 0.0}, "rules.credit.high_risk_factor"),
    ],
)
def test_a_line_that_makes_no_sense_is_refused(settings: dict[str, Any], path: str) -> None:
    with pytest.raises(PolicyError) as caught:
        Credit(**settings)
    assert caught.value.path == path


async def test_who_has_mistyped_a_dear_number_gets_the_right_one_sent() -> None:
    """The wrong one has used up its block's line; from there on the block is closed to others, and
    to this client too."""
    clock, dear = FakeClock(), 0.36
    policy = Policy(send="/send", home=["GB"], settled=True, daily_budget=600)
    async with Guard(policy, clock=clock, challenge=SimulatedHuman()) as guard:

        async def asks(number: str, address: str) -> bool:
            attempt = make_attempt(number, address, at=clock.advance(40), price=dear, proved=True)
            return (await guard.assess(attempt)).allowed

        assert await asks("+8801712345678", "103.4.144.9")
        assert not await asks("+8801712345601", "103.4.144.77")
        assert await asks("+8801712345679", "103.4.144.9")
        assert not await asks("+8801712345687", "103.4.144.9")
        assert not await asks("+8801712345612", "103.4.144.99")
