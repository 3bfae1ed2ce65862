"""The table of figures: row by row, each met, missed or not measured."""

from __future__ import annotations

import json
from typing import Any

import pytest

from benchmarks.targets import ROWS, targets


def row(results: dict[str, Any], number: int) -> dict[str, Any]:
    """One row of the table."""
    return targets(results)[number]


def test_every_row_says_what_was_wanted_and_what_was_found() -> None:
    rows = targets({})
    assert len(rows) == len(ROWS) == 14
    for each in rows:
        assert list(each) == ["name", "target", "measured", "met", "parts"]
        assert each["met"] is None
        for part in each["parts"]:
            assert list(part) == ["name", "target", "bound", "measured", "met"]
    assert json.loads(json.dumps(rows)) == rows


@pytest.mark.parametrize(("ratio", "met"), [(1.99, True), (2.0, True), (2.01, False)])
def test_a_ratio_is_held_against_its_bound(ratio: float, met: bool) -> None:
    concurrent = {"ratio_to_bare": {"median": ratio}}
    results = {"in_process": {"pumpguard": {"kind": "ours", "concurrent": concurrent}}}
    found = row(results, 0)
    assert found["met"] is met
    assert found["parts"][0]["measured"] == ratio


def test_a_row_is_missed_when_one_of_its_parts_is() -> None:
    refused = {"cpu_ratio_to_bare": {"median": 0.45}}
    banned = {"cpu_ratio_to_bare": {"median": 0.2}, "server_commands": {"median": 0.0}}
    results = {"refused": {"refused": refused, "banned": banned}}
    assert row(results, 4)["met"] is True
    banned["server_commands"]["median"] = 1.0
    assert row(results, 4)["met"] is False


def test_a_row_that_was_measured_in_part_is_not_met_yet() -> None:
    found = row({"memory": {"bytes_per_subject": 120, "keys_without_ttl": 0}}, 10)
    assert found["met"] is None
    assert row({"memory": {"bytes_per_subject": 180}}, 10)["met"] is False


def test_more_requests_per_second_are_better() -> None:
    results = {"through_uvicorn": {"systems": {"pumpguard": {"to_bare": {"median": 0.9}}}}}
    assert row(results, 1)["met"] is True


def test_of_several_rounds_the_median_counts() -> None:
    spread = {"median": 14_000.0, "low": 9_000.0, "high": 15_000.0, "n": 7}
    found = row({"capacity": {"admitted_per_core_second": spread}}, 8)
    assert found["parts"][0]["measured"] == 14_000
    assert found["met"] is True


def test_the_worst_flood_counts() -> None:
    """Of those at the rate that is asked for."""
    floods = {
        "title": "ours",
        "block 1000/s": {"p99_to_quiet": 9.0, "script_calls_per_refused": 0.2},
        "block 3000/s": {"p99_to_quiet": 1.5, "script_calls_per_refused": 0.01, "refused": 0},
        "address 3000/s": {"p99_to_quiet": 1.2, "refused": 0},
    }
    results = {"flood": {"pumpguard_flooded": floods}}
    by_name = {each["name"]: each for each in targets(results)}
    users = by_name["users' p99 in a flood of 3,000 a second"]
    assert (users["parts"][0]["measured"], users["met"]) == (1.5, True)
    assert by_name["Redis in a flood, per refused request"]["met"] is False


def test_one_place_over_another() -> None:
    def added(share: float) -> dict[str, Any]:
        return {"kind": "ours", "concurrent": {"added_to_bare": {"median": share}}}

    results = {"in_process": {"pumpguard_memory": added(1.5), "pumpguard": added(1.2)}}
    assert row(results, 2)["parts"][0]["measured"] == 1.25
    assert row({"in_process": {"pumpguard": added(1.2)}}, 2)["met"] is None
