from __future__ import annotations

from pathlib import Path

import pytest

from attack_harness.benchmark.cells import Cell, Setting, read
from attack_harness.benchmark.workers import Estimate, play_all, plays, unfinished

SETTING = Setting(users=8, part=0.02)
CELLS = [Cell("seed_simulator", 1, "aws-2022", name) for name in ("none", "per_address")]


def test_the_time_left_follows_from_what_cells_took() -> None:
    cells = [Cell("flash", n, "aws-2022", d) for n in (1, 2) for d in ("none", "pumpguard")]
    estimate = Estimate(cells, jobs=2)
    assert estimate.seconds == 20.0
    estimate.learn(cells[0], 3.0)
    estimate.learn(cells[1], 9.0)
    assert estimate.seconds == (3.0 + 9.0) / 2


def test_one_play_is_enough_where_prices_change_nothing() -> None:
    cells = [
        Cell("flash", 1, prices, defence)
        for prices in ("appwrite-2025", "aws-2022")
        for defence in ("none", "pumpguard")
    ]
    found = plays(list(enumerate(cells, 1)))
    assert found == [(1, (cells[0], cells[2])), (2, (cells[1],)), (4, (cells[3],))]


@pytest.mark.parametrize("jobs", [1, 2])
def test_finished_cells_are_not_played_again(jobs: int, tmp_path: Path) -> None:
    left = unfinished(CELLS, tmp_path, SETTING, again=False)
    assert left == [(1, CELLS[0]), (2, CELLS[1])]
    assert {cell for cell, _ in play_all(left, SETTING, tmp_path, jobs)} == set(CELLS)
    assert read(CELLS[0].file(tmp_path, SETTING)) is not None
    assert unfinished(CELLS, tmp_path, SETTING, again=False) == []
    assert len(unfinished(CELLS, tmp_path, SETTING, again=True)) == 2
