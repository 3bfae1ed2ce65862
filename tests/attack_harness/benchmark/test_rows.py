"""The deployments' rows, as the scorecard puts them where people look for them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from attack_harness.benchmark.card.published import BEGIN, END
from attack_harness.benchmark.card.rows import DATA, PAGE, publish_rows, row
from attack_harness.benchmark.defences import DEPLOYMENTS, README


def figures(**values: float) -> dict[str, Any]:
    return {"all": {name: {"value": value} for name, value in values.items()}}


def card(*names: str) -> dict[str, Any]:
    """A scorecard of two attacks and two crowds."""
    results = {
        "overall": figures(saved=0.98),
        "flash": figures(saved=0.99),
        "account_resets": figures(saved=0.8),
        "no_attack": figures(harmed_share_all=0.5),
        "launch": figures(harmed_share_crowd=0.01, challenged_share_crowd=0.0),
        "campus": figures(harmed_share_crowd=0.0, challenged_share_crowd=0.03),
        "crowds": figures(harmed_share_crowd_worst=0.01),
    }
    run = {
        "made": "2026-11-26T20:00:00+00:00", "held_out": True, "seeds": [1001, 1002],
        "users": 2_000, "part": 0.3, "prices": ["appwrite-2025"],
    }  # fmt: skip
    return {"defences": {name: {"results": results} for name in names}, "run": run}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with a place for them."""
    (tmp_path / PAGE).write_text(f"Above.\n{BEGIN}\nold\n{END}\nBelow.\n", "utf-8")
    (tmp_path / DATA).parent.mkdir(parents=True)
    return tmp_path


def test_the_worst_of_attacks_and_crowds_are_named() -> None:
    found = row(card(README), README)
    assert (found.saved, found.saved_worst, found.attack) == (0.98, 0.8, "account resets")
    assert (found.refused, found.refused_in) == (0.01, "launch")
    assert (found.asked, found.asked_in) == (0.03, "campus")


def test_all_rows_go_into_the_package_and_readmes_own_into_its_page(root: Path) -> None:
    assert publish_rows(card(*DEPLOYMENTS), root) == [root / PAGE, root / DATA]
    page = (root / PAGE).read_text("utf-8")
    assert page.startswith(f"Above.\n{BEGIN}\n<!-- of lines ")
    assert page.endswith(f"\n{END}\nBelow.\n")
    assert "80.0 % of the worst (account resets)" in page
    assert "held-out seeds 1001 to 1002, 2,000 users a day, 30 % of each attack's time" in page
    table = json.loads((root / DATA).read_text("utf-8"))
    assert [each["parts"] for each in table["rows"]][:2] == [["home", "verify", "challenge"], []]


def test_readmes_row_may_be_the_only_one(root: Path) -> None:
    publish_rows(card(README), root)
    (only,) = json.loads((root / DATA).read_text("utf-8"))["rows"]
    assert only["parts"] == ["home", "verify"]


def test_a_row_of_attacks_alone_is_none() -> None:
    few = card(README)
    few["defences"][README]["results"].pop("launch")
    few["defences"][README]["results"].pop("campus")
    with pytest.raises(ValueError, match="crowds"):
        row(few, README)
