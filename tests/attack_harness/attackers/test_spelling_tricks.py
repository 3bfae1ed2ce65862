"""Sixteen spellings of one number, and seven of one path."""

from __future__ import annotations

from collections import defaultdict

import pytest

from attack_harness.attackers.spelling_tricks import PATHS, TRICKS
from attack_harness.run import play
from attack_harness.targets import InProcess
from examples.target_app.app import create_app
from examples.target_app.numbering import e164
from examples.target_app.settings import Settings

from .planning import planned

PHONE = "+94711234567"


@pytest.mark.parametrize("trick", TRICKS)
def test_every_trick_means_the_same_number(trick: object) -> None:
    typed = trick(PHONE)  # type: ignore[operator]
    assert e164(typed["phone"], typed.get("code", "")) == PHONE


def test_no_two_tricks_write_the_same() -> None:
    written = [repr(trick(PHONE)) for trick in TRICKS]
    assert len(set(written)) == len(written) == 16


def test_each_number_is_asked_for_once_in_each_spelling() -> None:
    written = defaultdict(set)
    for shot in planned("spelling_tricks").shots:
        written[shot.phone].add(repr(shot.typed))
    assert len(written) == 250
    assert {len(spellings) for spellings in written.values()} == {16}


def test_a_tenth_of_the_requests_spell_the_path_oddly_too() -> None:
    shots = planned("spelling_tricks").shots
    odd = [shot.path for shot in shots if shot.path != PATHS[0]]
    assert len(odd) / len(shots) == pytest.approx(0.1, abs=0.02)
    assert set(odd) == set(PATHS[1:])


async def test_undefended_every_spelling_is_paid_for() -> None:
    attack = planned("spelling_tricks")
    part = type(attack)(attack.name, attack.title, attack.starts, attack.shots[:250])
    async with InProcess(create_app(Settings(guard=False, simulated=True))) as target:
        log = await play(target, part.actors())
    plain = [
        e.status for e, shot in zip(log.exchanges, part.shots, strict=True) if shot.path == PATHS[0]
    ]
    assert set(plain) == {202}
    escaped = [e for e, s in zip(log.exchanges, part.shots, strict=True) if s.path == "/otp/%73end"]
    assert {e.status for e in escaped} == {202}  # servers decode the path before the app sees it
    assert {e.phone for e in log.exchanges} == part.phones
