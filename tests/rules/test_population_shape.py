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
    assert decision.finding.evidence["signals"] == "mix"
    nats = decision.finding.evidence["mix_nats"]
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
        ({"mix": -1.0}, "mix"),
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


def shuffled(seed: int = 3) -> Iterator[str]:
    """Numbers of one block of a thousand, in no order."""
    chance = random.Random(seed)
    while True:
        yield f"+447512345{chance.randrange(1000):03d}"


async def test_a_shuffled_block_is_asked_for_proof_and_hardly_anybody_else() -> None:
    """The gaps between its numbers give it away, whatever their order."""
    app, numbers, users = await a_country(mix=0), shuffled(), people(6)
    sent = 0
    while (decision := await app.send(next(numbers), after=12)).allowed:
        sent += 1
        assert sent < 12
    assert decision.action is Action.CHALLENGE
    assert decision.finding is not None
    evidence = decision.finding.evidence
    assert evidence["signals"] == "gaps"
    assert isinstance(nats := evidence["gaps_nats"], float)
    assert nats >= 12
    asked = [not await app.allows(next(users), after=1) for _ in range(60)]
    assert sum(asked) <= 6
    assert not await app.allows(next(numbers))


async def test_digits_at_random_are_told_by_the_operator() -> None:
    """The app settles what was rejected; refused requests are never sent, and so never count."""
    app, numbers = await a_country(gaps=0, mix=0), bots()
    decision = await app.send(next(numbers), after=12)
    sent = 0
    while decision.allowed:
        app.guard.settle(decision, "unallocated")
        await app.guard.settled()
        decision = await app.send(next(numbers), after=12)
        sent += 1
        assert sent < 12
    assert sent == 9
    app.guard.settle(decision, "unallocated")  # it has no ticket
    assert decision.finding is not None
    assert decision.finding.evidence["signals"] == "unallocated"
    assert decision.finding.evidence["rejected"] == 5  # learned before it was suspicious
    assert decision.finding.retry_after == pytest.approx(3_600, abs=13)


async def test_signals_can_be_off_and_not_all_of_them() -> None:
    """A policy has what it asks for, and pays for no more."""
    app, numbers = await a_country(gaps=0), shuffled()
    for _ in range(9):
        decision = await app.send(next(numbers), after=12)
    signals = [finding.evidence["signals"] for finding in decision.findings]
    assert "gaps" not in signals
    with pytest.raises(PolicyError, match="some signal above 0"):
        PopulationShape(gaps=0, unallocated=0, mix=0)
