"""Postures, ordered at the guard: what each of them lets through."""

from __future__ import annotations

from typing import Any

import pytest

from pumpguard import Action, OverrideError
from pumpguard.overrides.posture import Posture
from pumpguard.rules import Budget, GeoMismatch, Number, RateLimit
from pumpguard.store.base import Store
from tests.rules.trying import Trying

LIMIT = RateLimit(by="phone", limits="2/hour")
MIKE: dict[str, Any] = {"author": "mike"}


@pytest.fixture
def app(store: Store) -> Trying:
    """A guard with a limit and a budget, over every store in turn."""
    return Trying(
        LIMIT, Budget(day=60.0, hour=10.0, reserved=0.0, challenge=1.0), store=store, settled=True
    )


async def test_normal_is_the_policy_and_needs_no_order(app: Trying) -> None:
    """Ordered or not."""
    assert (await app.guard.overrides.show()).fleet(app.clock()) is Posture.NORMAL
    assert [await app.allows() for _ in range(3)] == [True, True, False]
    await app.guard.overrides.posture("normal", **MIKE)
    assert not await app.allows()


async def test_closed_lets_nobody_through(app: Trying) -> None:
    """From the next request on, known or listed; and opens again."""
    await app.verified_customer()
    await app.guard.overrides.allow("number", "+447400123456", **MIKE)
    await app.guard.overrides.posture("closed", **MIKE)
    decision = await app.send()
    assert decision.action is Action.THROTTLE
    assert decision.retry_after is None
    assert [finding.code for finding in decision.findings] == ["POSTURE_CLOSED"]
    await app.guard.overrides.posture("normal", **MIKE)
    assert await app.allows(after=1)


async def test_challenge_all_asks_everybody(app: Trying) -> None:
    """The known as well; with proof the policy decides."""
    await app.verified_customer()
    await app.guard.overrides.posture("challenge_all", **MIKE)
    assert (await app.send()).action is Action.CHALLENGE
    decision = await app.send(proved=True)
    assert decision.allowed
    assert decision.allowed_because == "proved"
    assert (await app.send(proved=True)).action is Action.THROTTLE


async def test_known_only_lets_through_who_has_verified_before(app: Trying) -> None:
    """By the policy: their limits hold. Others are charged nowhere."""
    await app.verified_customer()
    await app.guard.overrides.posture("known_only", **MIKE)
    assert await app.allows()
    assert not await app.allows()
    stranger = await app.send("+447400999999")
    assert stranger.action is Action.THROTTLE
    assert [finding.code for finding in stranger.findings] == ["POSTURE_KNOWN_ONLY"]
    await app.guard.overrides.posture("normal", **MIKE)
    assert [await app.allows("+447400999999") for _ in range(3)] == [True, True, False]


async def test_known_only_where_nobody_can_be_known() -> None:
    """A policy that hears of no verifications refuses everybody."""
    app = Trying(LIMIT)
    await app.guard.overrides.posture("known_only", **MIKE)
    assert (await app.send()).finding is not None
    assert not await app.allows()


async def test_observe_enforces_nothing_and_records_everything(store: Store) -> None:
    """Rules with and without counters, budgets, the score: all are findings, none refuses."""
    broke = Budget(day=0.06, hour=0.01, reserved=0.0)
    app = Trying(Number(), GeoMismatch(), LIMIT, broke, store=store, risk={"on_high": "block"})
    await app.guard.overrides.posture("observe", **MIKE)
    for _ in range(3):
        decision = await app.send("+441111111111", country="FR")
        assert decision.allowed
        assert decision.allowed_because == "monitored"
    codes = {finding.code for finding in decision.findings}
    assert {"NUMBER_UNALLOCATED", "GEO_MISMATCH", "RATE_LIMIT", "BUDGET_LOW", "RISK_HIGH"} <= codes
    assert {finding.mode for finding in decision.findings} == {"monitor"}


async def test_a_country_of_its_own(app: Trying) -> None:
    """Other countries notice nothing."""
    await app.guard.overrides.posture("closed", country="fr", **MIKE)
    assert not await app.allows("+33612345678")
    assert await app.allows("+447400123456")


@pytest.mark.parametrize("fleet", Posture)
@pytest.mark.parametrize("here", Posture)
async def test_a_countrys_posture_can_only_be_stricter(fleet: Posture, here: Posture) -> None:
    """Whoever closes everything must not find out that one country stayed open."""
    app = Trying(LIMIT)
    await app.guard.overrides.posture(here, country="GB", **MIKE)
    document = await app.guard.overrides.posture(fleet, **MIKE)
    expected = max(fleet, here) if here is not Posture.NORMAL else fleet
    assert document.posture("GB", app.clock()) is expected
    assert document.posture("FR", app.clock()) is fleet


async def test_it_steps_down_by_itself(app: Trying) -> None:
    """To what was said with the order, without anybody being told again."""
    await app.guard.overrides.posture("closed", seconds=1_800, then="challenge_all", **MIKE)
    assert (await app.send(after=1_799)).finding is not None
    assert (await app.send()).action is Action.THROTTLE
    assert (await app.send(after=1)).action is Action.CHALLENGE
    await app.guard.overrides.posture("closed", seconds=60, **MIKE)
    assert not await app.allows()
    assert await app.allows(after=60)


async def test_who_when_why(app: Trying) -> None:
    """Is part of the order, and kept when it is over."""
    at = app.clock()
    await app.guard.overrides.posture("closed", seconds=60, reason="SMS bill", author="mike")
    app.clock.advance(100)
    order = (await app.guard.overrides.show()).postures[""]
    assert (order.author, order.at, order.reason, order.until) == ("mike", at, "SMS bill", at + 60)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"posture": "shut"}, "posture: expected one of observe, normal, challenge_all"),
        ({"country": "Atlantis"}, "country: expected an ISO 3166 region such as 'GB'"),
        ({"seconds": 0}, "seconds: expected above 0"),
        ({"then": "known_only"}, "then: expected an end, after which it steps down"),
        ({"author": ""}, "author: expected who sets it"),
        ({"reason": "\x1b[2J"}, "reason: expected a line of at most 200 characters"),
    ],
)
async def test_what_cannot_be_understood_is_refused(wrong: dict[str, Any], said: str) -> None:
    """With what would have been right; nothing is written."""
    app = Trying(LIMIT)
    with pytest.raises(OverrideError) as error:
        await app.guard.overrides.posture(**{"posture": "closed", **MIKE, **wrong})
    assert str(error.value).startswith(said)
    assert (await app.guard.overrides.show()).version == 0
