"""The manual's tables of series and of self-checks are those of the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pumpguard.ops import series
from tests.docs.wrong.page import SETUPS

DOCS = Path(__file__).parents[2] / "docs"
MANUAL = (DOCS / "operations.md").read_text("utf-8")

ELSEWHERE = {"PG099": "tests/money/test_prices.py"}
"""Checks that are played by tests of their own: a price list does not get old in a wrong set-up."""


def table(mark: str) -> list[list[str]]:
    """The cells of the table behind a mark."""
    lines = MANUAL.partition(f"<!-- {mark} -->\n")[2].partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_series_are_those_of_the_code() -> None:
    """Each name, its labels, its meaning and its bound."""
    assert table("series") == [
        [f"`{each.prometheus}`", f"`{each.name}`", ", ".join(f"`{n}`" for n in each.labels),
         each.text, each.most]
        for each in series.ALL
    ]  # fmt: skip


@pytest.mark.parametrize("cells", table("checks"), ids=lambda cells: cells[1])
def test_each_self_check_is_really_made(cells: list[str]) -> None:
    """It is played as a wrong set-up, or in a test of its own."""
    played = {setup.says for setup in SETUPS}
    codes = re.findall(r"PG\d{3}", cells[1])
    assert codes
    for code in codes:
        if code in ELSEWHERE:
            assert code in (DOCS.parent / ELSEWHERE[code]).read_text("utf-8")
        elif "to" not in cells[1]:
            assert code in played
    if "to" in cells[1]:
        assert {f"PG{n:03}" for n in range(12, 19)} & played
