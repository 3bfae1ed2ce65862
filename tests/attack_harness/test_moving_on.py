"""The adaptive attacker before a ban that it sees, and before one that it does not."""

from __future__ import annotations

import pytest

from attack_harness.attackers.adaptive import Adaptive
from attack_harness.moving_on import main, play, study, table

QUARTER = Adaptive().shortened(0.25)


@pytest.mark.parametrize("seed", [3, 4])
async def test_a_shadow_wastes_twenty_times_the_requests_and_costs_less(seed: int) -> None:
    """Before a 429 it moves on after five, some of which only asked for proof; what it cannot see
    it goes on asking for. On top of its 1,800 requests come those with proof that it paid for."""
    ((seen, unseen),) = await study([seed], QUARTER)
    assert min(seen.requests, unseen.requests) >= 1_800 - 40
    assert seen.moves > 100
    assert seen.before_moving == pytest.approx(5.0, abs=1.0)
    assert unseen.before_moving >= 20 * seen.before_moving
    assert unseen.loss < 0.5 * seen.loss
    assert seen.wasted + seen.messages == seen.requests


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
