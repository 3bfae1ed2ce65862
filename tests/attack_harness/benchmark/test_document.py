from __future__ import annotations

import io
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from attack_harness.benchmark.card.document import document
from attack_harness.benchmark.card.files import write_all
from attack_harness.benchmark.card.page import steps
from attack_harness.benchmark.card.published import BEGIN, END, publish, put
from attack_harness.benchmark.card.screen import show
from attack_harness.benchmark.cells import OPEN, Setting

from .cells import results


@cache
def card(*, seeds: int = 3, setting: Setting | None = None) -> dict[str, Any]:
    found = results(seeds)
    return document(found, list(found), setting or Setting(), "pumpguard")


def test_the_summary_is_that_of_the_harness_and_more() -> None:
    summary = card()["summary"]
    assert summary["attack_spend_without"] == 3 * 2 * 2 * 100
    assert summary["attack_spend_with"] == 2 * (10 + 20 + 30)
    assert summary["saved"] == pytest.approx(0.9)
    assert (summary["worst_attack"], summary["worst_attack_saved"]) == ("seed_simulator", 0.8)
    assert (summary["users"], summary["users_harmed"]) == (12 * 99, 12)
    assert summary["users_challenged"] == 24
    assert summary["worst_group_harmed"] == 12
    assert summary["worst_group"] == "cgnat"
    assert (summary["sends_before_refusal_p50"], summary["sends_before_refusal_p95"]) == (2, 3)
    assert summary["attacker_profit_max"] == -1
    low, high = summary["ci"]["saved"]
    assert low <= summary["saved"] <= high
    numbers = {k for k, v in summary.items() if isinstance(v, (int, float))}
    assert numbers == summary["ci"].keys()


def test_every_defence_has_every_row_under_every_price_table() -> None:
    defences = card()["defences"]
    assert list(defences) == [OPEN, "pumpguard"]
    for defence in defences.values():
        assert set(defence["results"]) == {"overall", "flash", "seed_simulator", "no_attack"}
        for tables in defence["results"].values():
            assert set(tables) == {"all", "appwrite-2025", "aws-2022"}
    assert defences[OPEN]["results"]["overall"]["all"]["saved"]["value"] == 0


def test_missed_targets_are_shown_as_missed() -> None:
    mine = [each for each in card()["targets"] if each["defence"] is None]
    met = {each["figure"]: each["met"] for each in mine if each["row"] == "overall"}
    assert met["saved"] is False
    assert met["saved_worst_family"] is False
    assert met["block_messages_p50"] is True
    assert met["attacker_profit_max"] is True
    assert met["harmed_share_all"] is False
    assert met["recovery_p95"] is True


def test_what_was_not_measured_is_neither_met_nor_missed() -> None:
    found = {c: r for c, r in results().items() if c.family != "no_attack"}
    targets = document(found, list(found), Setting(), "pumpguard")["targets"]
    (calm,) = (each for each in targets if each["row"] == "no_attack")
    assert (calm["measured"], calm["met"]) == (None, None)


def test_a_reader_is_warned() -> None:
    found = results(3)
    some = dict(list(found.items())[:-1])
    run = document(some, list(found), Setting(part=0.1, held_out=True), "pumpguard")["run"]
    said = " ".join(run["warnings"])
    assert "1 of 36 cells" in said
    assert "other code" in said
    assert "10%" in said
    assert "Fewer than 10 seeds" in said
    assert run["held_out"] is True


@pytest.mark.parametrize("seeds", [1, 3])
def test_the_scorecard_is_written_and_shown(seeds: int, tmp_path: Path) -> None:
    found = card(seeds=seeds)
    files = write_all(found, tmp_path / "new")
    assert [file.name for file in files] == ["scorecard.json", "scorecard.png", "index.html"]
    assert json.loads(files[0].read_text()) == json.loads(json.dumps(found))
    assert files[1].read_bytes().startswith(b"\x89PNG")
    page = files[2].read_text()
    assert "<svg" in page
    assert "missed" in page
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in page
    console = Console(record=True, width=100, file=io.StringIO())
    show(found, files, console)
    text = console.export_text()
    assert "missed" in text
    assert "…" not in text.replace(" … ", "")


def test_results_take_the_place_of_older_ones_in_the_documentation(tmp_path: Path) -> None:
    page = tmp_path / "scorecard.md"
    page.write_text(f"Before.\n\n{BEGIN}\nold figures\n{END}\n\nAfter.\n")
    for _ in range(2):
        files = publish(card(), tmp_path)
    assert [file.name for file in files] == ["scorecard.png", "scorecard.json", "scorecard.md"]
    said = page.read_text()
    assert said.startswith(f"Before.\n\n{BEGIN}\nMade ")
    assert said.endswith(f"{END}\n\nAfter.\n")
    assert "old figures" not in said
    assert "**missed**" in said
    assert "| Flood |" in said
    assert json.loads(files[1].read_text())["summary"]["saved"] == card()["summary"]["saved"]
    with pytest.raises(ValueError, match="results"):
        put("a page without a place for them", "")


def test_the_page_says_that_a_run_was_held_out(tmp_path: Path) -> None:
    files = write_all(card(setting=Setting(held_out=True)), tmp_path)
    assert "Held-out" in files[2].read_text()


def test_ticks_are_round() -> None:
    assert steps(0.925) == [0.92, 0.94, 0.96, 0.98, 1.0]
    assert steps(0.0) == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    assert steps(1.0) == [1.0]
