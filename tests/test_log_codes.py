"""What the log says has a code, and the manual knows it."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[1]
MANUAL = (ROOT / "docs" / "operations.md").read_text("utf-8")
CODE = re.compile(r"PG(\d{3})")


def used() -> dict[int, set[str]]:
    """Each code, and the modules that log it."""
    found: dict[int, set[str]] = defaultdict(set)
    for path in (ROOT / "src").rglob("*.py"):
        for number in CODE.findall(path.read_text("utf-8")):
            found[int(number)].add(path.stem)
    return found


def told() -> set[int]:
    """The codes of the manual's table, with those between two that ``to`` joins."""
    table = MANUAL[MANUAL.index("## The log") :]
    ranges = [range(int(a), int(b) + 1) for a, b in re.findall(r"`PG(\d+)` to `PG(\d+)`", table)]
    return {int(number) for number in CODE.findall(table)} | {n for each in ranges for n in each}


def test_every_code_is_in_the_manual_and_the_other_way_round() -> None:
    """An operator who sees one finds it."""
    assert told() == set(used())


def test_a_code_means_one_thing() -> None:
    """So no two modules use the same."""
    assert {code: where for code, where in used().items() if len(where) > 1} == {}
