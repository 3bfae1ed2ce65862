from __future__ import annotations

import json
from pathlib import Path

import pytest

from attack_harness.attackers import ALL_FAMILIES
from attack_harness.benchmark.__main__ import main, parse
from attack_harness.benchmark.defences import DEFENCES, DEPLOYMENTS
from attack_harness.crowds import CROWDS
from attack_harness.lookalikes import LOOKALIKES


def test_everything_is_played_unless_told_otherwise() -> None:
    options = parse([])
    days, half = 2 * (len(ALL_FAMILIES) + 1), len(DEPLOYMENTS) - 1
    baselines = len(DEFENCES) - 2 - half
    alike = 2 * len(LOOKALIKES) * 3 * (2 + baselines)
    set_up = days // 2 * 3 * half + len(CROWDS) * 3 * (2 + half)
    assert len(options.cells) == days * (10 * 2 + 3 * baselines) + alike + set_up
    assert (options.scored, options.jobs, options.setting.part) == ("pumpguard", 1, 1.0)
    assert {cell.seed for cell in parse(["--held-out", "--seeds", "2"]).cells} == {1001, 1002}
    assert parse(["--quick"]).setting.part < 1


def test_what_it_is_held_against_needs_fewer_days() -> None:
    cells = parse(["--seeds", "5", "--baseline-seeds", "2"]).cells
    seeds = {d: {cell.seed for cell in cells if cell.defence == d} for d in DEFENCES}
    assert seeds["pumpguard"] == seeds["none"] == {1, 2, 3, 4, 5}
    assert seeds["checklist"] == {1, 2}


def test_somebodys_own_app_is_scored_beside_the_others() -> None:
    options = parse(["--app", "mine:create_app"])
    assert options.scored == "mine:create_app"
    assert {cell.defence for cell in options.cells} == {"mine:create_app", *DEFENCES}


def test_a_running_server_has_one_price_list_and_one_caller() -> None:
    options = parse(["--url", "http://127.0.0.1:1", "--jobs", "4", "--defence", "checklist"])
    assert {cell.prices for cell in options.cells} == {"appwrite-2026"}
    assert {cell.defence for cell in options.cells} == {"none", "http://127.0.0.1:1", "checklist"}
    assert options.jobs == 1


@pytest.mark.parametrize(
    "wrong", [["--jobs", "0"], ["--family", "x"], ["--app", "a", "--url", "b"]]
)
def test_a_wrong_command_line_is_refused(
    wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parse(wrong)
    assert "error" in capsys.readouterr().err


def test_the_command_plays_writes_and_resumes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["--quick", "--users", "8", "--family", "seed_simulator", "--seeds", "2"]
    asked += ["--defence", "checklist", "--prices", "aws-2022", "--out", str(tmp_path)]
    assert main(asked) == 0
    cells = sorted((tmp_path / "cells").iterdir())
    assert len(cells) == 4  # two seeds, without any defence and with the checklist
    made = [cell.stat().st_mtime_ns for cell in cells]
    assert main(asked) == 0
    assert [cell.stat().st_mtime_ns for cell in cells] == made
    said = json.loads((tmp_path / "scorecard.json").read_text())
    assert said["scored"] == "checklist"
    assert said["run"]["cells"] == {"finished": 4, "wanted": 4}
    assert "figures to reach" in capsys.readouterr().out
