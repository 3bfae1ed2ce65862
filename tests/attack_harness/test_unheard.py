"""What a guard that is deaf, or believes everybody, costs people and the app (docs/setup.md)."""

from __future__ import annotations

import asyncio
from functools import cache

import pytest

from attack_harness.unheard import (
    ATTACKS,
    HOME,
    SETUPS,
    Played,
    attack,
    main,
    people,
    play,
)
from pumpguard import Policy
from pumpguard.money.exposure import exposure

PEOPLE = people(1, 4_000)[2_400:3_200]
"""Those of some busy hours."""


@cache
def day(name: str, challenge: bool) -> Played:
    """What it comes to for them."""
    return asyncio.run(play(SETUPS[name], PEOPLE, challenge=challenge))


@pytest.mark.parametrize("name", SETUPS)
@pytest.mark.parametrize("challenge", [False, True])
def test_people_do_not_pay_for_a_deaf_guard(name: str, *, challenge: bool) -> None:
    """At most one in a thousand more than behind a guard that hears, asked for proof or refused, at
    home and abroad."""
    heard = day("heard", challenge)
    played = day(name, challenge)
    assert played.refused - heard.refused <= 0.001 * len(PEOPLE)
    if name != "heard":
        assert {"PG070", "PG071", "PG076"} & set(played.notices)


@pytest.mark.parametrize("name", [name for name, (_, few, *_) in ATTACKS.items() if few])
def test_an_attack_on_an_app_without_users_is_bounded(name: str) -> None:
    """By what `exposure` says of the time before the first verification; where any code is right,
    ten dollars in half an hour."""
    country, ranges, setup, enters = ATTACKS[name]
    shots = attack(1, country, ranges, enters=enters, shots=900)
    played = asyncio.run(play(SETUPS[setup], shots))
    unheard = exposure(Policy(send="/s", verify="/v", home=HOME, daily_budget=600)).unheard
    assert unheard is not None
    assert 0 < played.lost <= (10.0 if enters else unheard.hour)


def test_tables_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--users", "40", "--shots", "40"]) == 0
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    assert len(rows) == 4 + len(SETUPS) + len(ATTACKS)
