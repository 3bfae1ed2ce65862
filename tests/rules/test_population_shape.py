"""population_shape: a burst is not an attack, and an attack need not be a burst."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest

from pumpguard import Action, PolicyError
from pumpguard.rules import PopulationShape
from tests.rules.trying import Trying

CODES = [f"7{code}" for code in range(400, 1000, 25)]
WEIGHTS = [1 / rank for rank in range(1, len(CODES) + 1)]


def people(seed: int = 1) -> Iterator[str]:
    """British numbers, of which most are with a few carriers."""
    chance = random.Random(seed)
    while True:
        (code,) = chance.choices(CODES, WEIGHTS)
        yield f"+44{code}{chance.randrange(10**6):06d}"


def bots(seed: int = 2) -> Iterator[str]:
    """Numbers of every range alike."""
    chance = random.Random(seed)
    while True:
        yield f"+44{chance.choice(CODES)}{chance.randrange(10**6):06d}"


async def a_country(**settings: Any) -> Trying:
    """An app that has seen a day of people."""
    app, users = Trying(PopulationShape(**settings)), people()
    for _ in range(300):
        assert await app.allows(next(users), after=240)
    return app


async def test_a_promotion_is_no_finding() -> None:
    """Twenty times as many people as usual."""
    app, users = await a_country(), people(5)
    for _ in range(400):
        assert (await app.send(next(users), after=12)).findings == ()


async def test_an_attack_on_every_range_is_asked_for_proof() -> None:
    """At the same rate, and no block is asked for twice."""
    app, numbers = await a_country(), bots()
    decision = await app.send(next(numbers))
    sent = 0
    while decision.allowed:
        decision = await app.send(next(numbers), after=12)
        sent += 1
        assert sent < 100
    assert decision.action is Action.CHALLENGE
    assert decision.finding is not None
    assert decision.finding.code == "POPULATION_UNUSUAL"
    nats = decision.finding.evidence["nats"]
    assert isinstance(nats, int | float)
    assert nats >= 12
    assert decision.finding.subject == "GB"
    proved = await app.send(decision.attempt.phone.e164, proved=True)
    assert proved.allowed
    assert proved.allowed_because == "proved"


async def test_monitored_it_only_says_so() -> None:
    """Findings, and everybody passes."""
    app, numbers = await a_country(mode="monitor"), bots()
    decisions = [await app.send(next(numbers), after=12) for _ in range(100)]
    assert all(decision.allowed for decision in decisions)
    assert any(decision.findings for decision in decisions)


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"minimum": 2}, "minimum"),
        ({"h": 0.0}, "h"),
        ({"seconds": 60}, "seconds"),
        ({"hold": 59}, "hold"),
        ({"by": "the moon"}, "by"),
    ],
)
def test_nonsense_is_refused_at_construction(settings: dict[str, Any], field: str) -> None:
    """The error names the exact place."""
    with pytest.raises(PolicyError) as error:
        PopulationShape(**settings)
    assert error.value.path == f"rules.population_shape.{field}"
