"""adaptive_prefix: the block that a surge comes from, and the way back."""

from __future__ import annotations

import random
from typing import Any

import pytest

from pumpguard import Decision, PolicyError
from pumpguard.decision import Action
from pumpguard.rules import AdaptivePrefix, RateLimit
from tests.rules.trying import Trying

BLOCK = "+447400123"


async def until_refused(app: Trying, block: str = BLOCK) -> tuple[int, Decision]:
    """How many of a block are let through, and the first decision that is none."""
    digits = 13 - len(block)
    for n in range(60):
        phone = f"{block}{(n * 7919 + 13) % 10**digits:0{digits}d}"
        decision = await app.send(phone, after=5)
        if not decision.allowed:
            return n, decision
    raise AssertionError("never refused")


async def test_a_block_is_refused_and_named() -> None:
    """Five pass; the finding says which 1,000 numbers it is about."""
    app = Trying(AdaptivePrefix())
    passed, decision = await until_refused(app)
    assert passed == 5
    finding = decision.finding
    assert finding is not None
    assert (finding.code, finding.action) == ("PREFIX_UNUSUAL", Action.BLOCK)
    assert finding.evidence["prefix"] == finding.subject == BLOCK
    assert finding.evidence["numbers"] == 1_000
    assert finding.evidence["stage"] == "closed"
    assert await app.allows("+447400555123")


@pytest.mark.parametrize("digits", [2, 3, 4, 5, 6])
async def test_blocks_of_any_width_are_found(digits: int) -> None:
    """Nobody told the rule how wide, once it has seen a country's users."""
    app, chance = Trying(AdaptivePrefix()), random.Random(6)
    for _ in range(300):
        code = chance.choice(["7911", "7922", "7733"])
        assert await app.allows(f"+44{code}{chance.randrange(10**6):06d}", after=60)
    _, decision = await until_refused(app, f"{BLOCK}456"[: 13 - digits])
    assert decision.finding is not None
    assert decision.finding.evidence["numbers"] <= 10**digits


async def test_while_it_opens_a_solved_challenge_passes() -> None:
    """After the hold a stranger is asked for proof, and who has it passes."""
    app = Trying(AdaptivePrefix())
    await until_refused(app)
    asked = await app.send(f"{BLOCK}900", after=1_801)
    assert asked.action is Action.CHALLENGE
    assert await app.allows(f"{BLOCK}900", proved=True)


async def test_no_proof_opens_a_closed_block() -> None:
    """Attackers buy solutions at a dollar per thousand."""
    app = Trying(AdaptivePrefix())
    await until_refused(app)
    refused = await app.send(f"{BLOCK}900", proved=True)
    assert refused.action is Action.BLOCK


async def test_proof_may_be_asked_for_before_that_is_told() -> None:
    app = Trying(AdaptivePrefix(ask_first=True))
    _, refused = await until_refused(app)
    assert refused.action is Action.CHALLENGE
    assert (await app.send(f"{BLOCK}900", proved=True)).action is Action.BLOCK


async def test_monitored_it_refuses_nobody() -> None:
    """It says what it would have done."""
    app = Trying(AdaptivePrefix(mode="monitor"))
    decisions = [await app.send(f"{BLOCK}{n:03d}", after=5) for n in range(10)]
    assert all(decision.allowed for decision in decisions)
    assert any(decision.findings for decision in decisions)


async def test_what_others_refuse_is_not_counted() -> None:
    """A flood that the quota of one network stops cannot close a block for the rest."""
    app = Trying(RateLimit(name="few", by="network", limits="2/hour"), AdaptivePrefix())
    for n in range(40):
        await app.send(f"{BLOCK}{n:03d}", after=1)
    assert await app.allows(f"{BLOCK}999", "81.2.70.1")


async def test_ordinary_users_are_never_refused() -> None:
    """A day of users in a few ranges, then an hour with five times as many."""
    app, chance = Trying(AdaptivePrefix()), random.Random(5)
    for n in range(24 * 40 + 200):
        code = chance.choice(["7400", "7400", "7911", "7911", "7700"])
        phone = f"+44{code}{chance.randrange(10**6):06d}"
        assert await app.allows(phone, after=90 if n < 24 * 40 else 18)


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        ({"minimum": 2}, "rules.adaptive_prefix.minimum"),
        ({"h": 0.0}, "rules.adaptive_prefix.h"),
        ({"seconds": 60}, "rules.adaptive_prefix.seconds"),
        ({"hold": 10}, "rules.adaptive_prefix.hold"),
        ({"widest": 1}, "rules.adaptive_prefix.widest"),
    ],
)
def test_what_makes_no_sense_is_refused(settings: dict[str, Any], path: str) -> None:
    with pytest.raises(PolicyError, match=path):
        AdaptivePrefix(**settings)
