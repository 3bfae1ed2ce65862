"""The table of figures: ten rows, in order, each met, missed or not measured."""

from __future__ import annotations

import json
from typing import Any

import pytest

from benchmarks.targets import ROWS, targets


def peer(family: str, limits: int, share: float) -> dict[str, Any]:
    """What is looked at of a peer's results."""
    figures = {"pumpguard_share": {"median": share}}
    return {"kind": "peer", "family": family, "limits": limits, "concurrent": figures}


def row(results: dict[str, Any], number: int) -> dict[str, Any]:
    """One row of the table."""
    return targets(results)[number]


def test_every_row_says_what_was_wanted_and_what_was_found() -> None:
    rows = targets({})
    assert len(rows) == len(ROWS) == 10
    for each in rows:
        assert list(each) == ["name", "target", "measured", "met", "parts"]
        assert each["met"] is None
        for part in each["parts"]:
            assert list(part) == ["name", "target", "bound", "measured", "met"]
    assert json.loads(json.dumps(rows)) == rows


@pytest.mark.parametrize(("ratio", "met"), [(1.39, True), (1.4, True), (1.41, False)])
def test_a_ratio_is_held_against_its_bound(ratio: float, met: bool) -> None:
    concurrent = {"ratio_to_bare": {"median": ratio}}
    results = {"in_process": {"pumpguard": {"kind": "ours", "concurrent": concurrent}}}
    found = row(results, 0)
    assert found["met"] is met
    assert found["parts"][0]["measured"] == ratio


def test_a_row_is_missed_when_one_of_its_parts_is() -> None:
    refused = {"ratio_to_bare": {"median": 0.45}}
    banned = {"ratio_to_bare": {"median": 0.2}, "server_commands": {"median": 0.0}}
    results = {"refused": {"refused": refused, "banned": banned}}
    assert row(results, 3)["met"] is True
    banned["server_commands"]["median"] = 1.0
    assert row(results, 3)["met"] is False


def test_a_row_that_was_measured_in_part_is_not_met_yet() -> None:
    found = row({"memory": {"bytes_per_subject": 120, "keys_without_ttl": 0}}, 7)
    assert found["met"] is None
    assert row({"memory": {"bytes_per_subject": 180}}, 7)["met"] is False


def test_more_requests_per_second_are_better() -> None:
    results = {"through_uvicorn": {"systems": {"pumpguard": {"to_bare": {"median": 0.9}}}}}
    assert row(results, 4)["met"] is True


def test_a_peer_is_taken_at_its_cheapest() -> None:
    results = {
        "in_process": {
            "a": peer("limits", 8, 0.05),
            "b": peer("limits", 8, 0.07),
            "c": peer("limits", 1, 0.3),
            "d": peer("slowapi", 1, 0.1),
        }
    }
    parts = {part["name"]: part["measured"] for part in row(results, 1)["parts"]}
    assert parts["limits"] == 0.07
    assert parts["cheapest with one limit"] == 0.3
    assert parts["slowapi"] is None
