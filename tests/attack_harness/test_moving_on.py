"""The adaptive attacker before a ban that it sees, and before one that it does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from attack_harness.attackers.adaptive import Adaptive
from attack_harness.moving_on import main, play, study, table

QUARTER = Adaptive().shortened(0.25)


async def test_a_shadow_holds_whoever_has_few_addresses() -> None:
    """Before a 429 he moves on after some refusals; what he cannot see he goes on asking for. On
    top of his 1,800 requests come those with proof that he paid for."""
    ((seen, unseen),) = await study([3], replace(QUARTER, addresses=1))
    assert min(seen.requests, unseen.requests) >= 1_800 - 40
    assert seen.moves > 100
    assert unseen.before_moving >= 20 * seen.before_moving
    assert seen.wasted + seen.messages == seen.requests


async def test_a_shadow_is_worth_little_against_forty_addresses() -> None:
    """None of them is refused often enough in one block; a shadow of the whole block would hide
    people's messages (docs/lockout.md). Other rules stop him: both ways he gets little, and a few
    messages less where he does not see which addresses he should leave."""
    ((seen, unseen),) = await study([3], QUARTER)
    assert unseen.before_moving == pytest.approx(seen.before_moving, rel=0.1)
    assert 0.8 * seen.loss <= unseen.loss <= seen.loss < 10


async def test_the_same_seed_plays_the_same_attack() -> None:
    short = Adaptive().shortened(0.02)
    assert await play(5, "shadow", short) == await play(5, "shadow", short)


async def test_both_are_printed_side_by_side(capsys: pytest.CaptureFixture[str]) -> None:
    text = table(await study([1], Adaptive().shortened(0.02)))
    assert text.splitlines()[2].startswith("| 1 | 429 | ")
    assert text.splitlines()[3].startswith("| 1 | shadow | ")
    assert "times as many requests" in text
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "--seeds" in capsys.readouterr().out
