"""The studies of money: bounds that hold, attackers that come near them, users who are served."""

from __future__ import annotations

import contextlib
import io
import json
from typing import Any

import pytest

from attack_harness.actors import draws
from attack_harness.attackers.base import Ground
from attack_harness.attackers.optimal import Optimal
from attack_harness.attackers.poisoning import Poisoning
from attack_harness.money.__main__ import main
from attack_harness.money.plain_conversion import PlainConversion
from attack_harness.money.stage import on_stage
from examples.target_app.protection import default_policy
from pumpguard.money.exposure import exposure


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str]:
    """What the command has written and printed: all studies, each played once."""
    folder, printed = tmp_path_factory.mktemp("money"), io.StringIO()
    with contextlib.redirect_stdout(printed):
        assert main(["--quick", "--seed", "3", "--out", str(folder)]) == 0
    return json.loads((folder / "money.json").read_text()), printed.getvalue()


@pytest.fixture(scope="module")
def studies(shown: tuple[dict[str, Any], str]) -> dict[str, Any]:
    return shown[0]


def test_the_optimal_attacker_comes_near_the_bound_and_not_past_it(studies: dict[str, Any]) -> None:
    """So the bound that is printed is neither broken nor a fairy tale."""
    (found,) = studies["bound"]
    assert found["hours"] == 1.0
    assert 0.8 * found["bound"] <= found["spent"] <= found["bound"]
    assert found["bound_by"] == ["budget"]


def test_without_any_detector_no_attack_costs_more_than_its_cap(studies: dict[str, Any]) -> None:
    found = studies["caps"]
    assert [attack["under"] for attack in found["attacks"]] == [True] * 4
    assert all(attack["spent"] > 0 for attack in found["attacks"])
    assert found["refused_share"] <= 0.005


def plan(entered: float) -> Any:
    family = Poisoning(verified=entered, hours=0.5)
    return family.plan(Ground(draws(1, family.name)))


async def test_the_rule_that_everybody_publishes_stops_who_enters_no_codes() -> None:
    """It is a fair opponent: 20 messages a block, and then silence for an hour."""
    attack = plan(0.0)
    played = await on_stage(attack.actors(), guard=False, around=PlainConversion)
    assert len(played.books.ledger) == 4 * 20


async def test_and_is_walked_around_by_who_enters_half_of_them() -> None:
    attack = plan(0.5)
    plain = await on_stage(attack.actors(), guard=False, around=PlainConversion)
    ours = await on_stage(attack.actors())
    assert ours.spend(attack) <= 0.25 * plain.spend(attack)
    assert len(plain.books.ledger) > 0.7 * len(attack.shots)


async def test_the_same_share_is_entered_whoever_defends() -> None:
    """The bots decide beforehand who enters a code, so the plays can be compared."""
    attack = plan(0.3)
    played = await on_stage(attack.actors(), guard=False)
    entered = played.log.calls - len(played.log.exchanges)
    assert 0.2 < entered / 2 / len(attack.shots) < 0.4


def test_an_attacker_aims_at_a_country_with_room() -> None:
    country, price, usd = Optimal(default_policy()).aim()
    assert country == "DE"
    assert 0 < price < usd


def test_a_study_of_poisoning_says_what_it_compared(studies: dict[str, Any]) -> None:
    rows = studies["poisoning"]
    assert [row["entered"] for row in rows] == [0.0, 0.3, 0.5, 0.7, 0.9]
    for row in rows:
        assert row["undefended"] >= row["plain_rule"] >= row["pumpguard"] > 0


def test_a_bought_market_lets_no_more_through_than_is_printed(studies: dict[str, Any]) -> None:
    """However many codes were entered the day before; and those messages cost more than they let
    through."""
    most = exposure(default_policy()).unverified.hour
    none, some = studies["market"]
    assert (none["bought"], none["verified"]) == (0, 0)
    assert some["bought"] == 300
    assert 0 < none["unverified_an_hour"] < most
    assert 0 < some["unverified_an_hour"] < most
    assert some["unverified_an_hour"] - none["unverified_an_hour"] < some["verified"]


def test_the_command_prints_and_writes(shown: tuple[dict[str, Any], str]) -> None:
    said, printed = shown
    assert said.keys() == {"seed", "bound", "caps", "poisoning", "market"}
    assert "Optimal attacker" in printed
