"""What a guard that is deaf, or believes everybody, costs people and the app (docs/setup.md)."""

from __future__ import annotations

import asyncio
from functools import cache

import pytest

from attack_harness.unheard import (
    ATTACKS,
    SETUPS,
    Played,
    attack,
    main,
    people,
    play,
)

PEOPLE = people(1, 4_000)[2_400:3_200]
"""Those of some busy hours."""


@cache
def day(name: str, challenge: bool) -> Played:
    """What it comes to for them."""
    return asyncio.run(play(SETUPS[name], PEOPLE, challenge=challenge))


@pytest.mark.parametrize("name", SETUPS)
@pytest.mark.parametrize("challenge", [False, True])
def test_people_do_not_pay_for_a_deaf_guard(name: str, *, challenge: bool) -> None:
    """At most one in a thousand more than behind a guard that hears. Where nobody can be sure that
    codes are missed, those from abroad may be asked for proof, as ever."""
    heard = day("heard", challenge)
    played = day(name, challenge)
    refused = played.refused_at_home if challenge else played.refused - heard.refused
    assert refused <= 0.001 * len(PEOPLE)
    if name != "heard":
        assert {"PG070", "PG071", "PG076"} & set(played.notices)


@pytest.mark.parametrize("name", [name for name, (_, few, *_) in ATTACKS.items() if few])
def test_an_attack_on_an_app_without_users_stays_small(name: str) -> None:
    """Half an hour costs five dollars. Where any code is right, it costs twice that at most."""
    country, ranges, setup, enters = ATTACKS[name]
    shots = attack(1, country, ranges, enters=enters, shots=900)
    played = asyncio.run(play(SETUPS[setup], shots))
    assert 0 < played.lost <= (10.0 if enters else 5.0)


def test_tables_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--users", "40", "--shots", "40"]) == 0
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    assert len(rows) == 4 + len(SETUPS) + len(ATTACKS)
