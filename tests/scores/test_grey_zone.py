"""An outside score is asked about the grey zone only, before anything is charged."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from pumpguard import Action, Attempt, Finding, Guard, Policy, PolicyError, PumpGuardMiddleware
from pumpguard.intake.network import UnknownNetworks
from pumpguard.risk import Risk
from pumpguard.rules import GeoMismatch, RateLimit
from pumpguard.scores import LookupScore
from pumpguard.store.memory import MemoryStore
from pumpguard.testing import FakeClock, make_attempt
from tests.asgi import ask
from tests.otp_app import Outbox, otp_app
from tests.scores.service import Service

GREY = GeoMismatch(action="allow", weight=1.5)
TWO_AN_HOUR = RateLimit(by="phone", limits="2/hour")
ABROAD, AT_HOME = make_attempt(country="FR"), make_attempt(country="GB")


class Says:
    """A score that says the same about everybody."""

    def __init__(self, factor: float | None) -> None:
        self.factor = factor
        self.asked = 0
        self.closed = False

    async def score(self, attempt: Attempt) -> float | None:
        """Always this."""
        self.asked += 1
        return self.factor

    async def aclose(self) -> None:
        """Remember it."""
        self.closed = True


def guard(score: Any, risk: Risk | None = None, *rules: Any) -> Guard:
    """A guard for whom clients from abroad are grey."""
    policy = Policy(send="/s", rules=rules or (GREY, TWO_AN_HOUR), risk=risk or Risk())
    return Guard(policy, clock=FakeClock(), networks=UnknownNetworks(), score=score)


@pytest.mark.parametrize(
    ("factor", "action"),
    [
        (0.75, Action.ALLOW),  # 1.125
        (1.0, Action.CHALLENGE),  # 1.5
        (1.5, Action.BLOCK),  # 2.25
        (None, Action.CHALLENGE),
        (float("nan"), Action.CHALLENGE),
        (0.0, Action.CHALLENGE),
    ],
)
async def test_it_tips_the_balance(factor: float | None, action: Action) -> None:
    """Down, up, or not at all if it cannot say."""
    decision = await guard(Says(factor)).decide(ABROAD)
    assert decision.action is action


async def test_only_the_grey_zone_is_asked_about() -> None:
    """Neither who is low nor who is high, nor who is refused for something else."""
    says = Says(1.0)
    one = guard(says)
    for _ in range(3):
        await one.decide(AT_HOME)
    assert (await one.decide(ABROAD)).action is Action.BLOCK  # two an hour weigh 1.5 as well
    assert says.asked == 0
    high = guard(says, None, GeoMismatch(action="allow", weight=2.0))
    assert (await high.decide(ABROAD)).action is Action.BLOCK
    assert says.asked == 0


async def test_a_grey_zone_that_counters_make_is_asked_about_too() -> None:
    """The first answer of the store is uncharged, and the second one counts."""
    says = Says(0.5)
    busy = RateLimit(name="busy", by="network", limits="1/hour", action="allow", weight=1.5)
    one = guard(says, None, busy, TWO_AN_HOUR)
    assert [(await one.decide(AT_HOME)).allowed for _ in range(3)] == [True, True, False]
    assert says.asked == 1


async def test_who_is_let_through_is_charged_once() -> None:
    """However often the store was asked."""
    one = guard(Says(0.5))
    assert [(await one.decide(ABROAD)).allowed for _ in range(3)] == [True, True, False]


async def test_who_is_refused_is_charged_nowhere() -> None:
    one = guard(Says(4.0))
    for _ in range(5):
        assert (await one.decide(ABROAD)).action is Action.BLOCK
    assert [(await one.decide(AT_HOME)).allowed for _ in range(3)] == [True, True, False]


@pytest.mark.parametrize("factor", [None, 1.0, 4.0])
async def test_a_grey_zone_that_is_let_through_waits_for_the_answer(factor: float | None) -> None:
    """Nothing was charged before it came; without one the zone is let through as it would be."""
    one = guard(Says(factor), Risk(on_medium="allow"))
    decisions = [await one.decide(ABROAD) for _ in range(3)]
    assert [d.allowed for d in decisions] == ([False] * 3 if factor == 4 else [True, True, False])


async def test_proof_is_no_answer_to_a_bad_score() -> None:
    """Who has solved a challenge is still in the grey zone, and asked about."""
    proved = make_attempt(country="FR", proved=True)
    assert (await guard(Says(4.0)).decide(proved)).action is Action.BLOCK
    assert (await guard(Says(1.0)).decide(proved)).allowed_because == "proved"


async def test_a_score_that_raises_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Says):
        async def score(self, attempt: Attempt) -> float | None:
            raise RuntimeError("a bug")

    with caplog.at_level(logging.ERROR):
        assert (await guard(Broken(None)).decide(ABROAD)).action is Action.CHALLENGE
    assert "PG031" in caplog.text


@pytest.mark.parametrize("mode", ["monitor", "off"])
async def test_a_score_that_does_not_act_buys_nothing(mode: Any) -> None:
    """What is only watched is not worth a cent a number."""
    says = Says(4.0)
    assert (await guard(says, Risk(mode=mode)).decide(ABROAD)).allowed
    assert says.asked == 0


def test_without_levels_there_is_no_grey_zone() -> None:
    with pytest.raises(PolicyError) as raised:
        Guard(Policy(send="/s"), score=Says(1.0))
    assert raised.value.path == "risk"


async def test_a_guard_closes_its_score() -> None:
    says = Says(1.0)
    async with guard(says):
        assert not says.closed
    assert says.closed


async def test_from_http_to_http() -> None:
    """A middleware, a real service, and a number that it warns of."""
    outbox = Outbox()
    async with Service(score=95) as service:
        score = LookupScore(url=service.url, deadline=10)
        app = PumpGuardMiddleware(
            otp_app(outbox),
            Policy(send="/otp/send", rules=[_suspicious], risk=Risk(on_medium="allow")),
            MemoryStore(),
            networks=UnknownNetworks(),
            score=score,
        )
        assert (await ask(app)).status == 403
        service.body = service.body.replace("95", "5")
        assert (await ask(app, "+447400123457")).status == 202
        await app.guard.aclose()
    assert outbox.sent == ["+447400123457"]


def _suspicious(attempt: Attempt) -> Finding:
    return Finding("suspicious", Action.ALLOW, "GREY", weight=1.5)
