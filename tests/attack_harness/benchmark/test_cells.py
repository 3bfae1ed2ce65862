from __future__ import annotations

from pathlib import Path

from attack_harness.benchmark.cells import Cell, Setting, grid, read, write

CELL = Cell("flash", 1, "aws-2022", "none")


def test_a_result_is_kept_and_found_again(tmp_path: Path) -> None:
    setting = Setting(users=10)
    file = CELL.file(tmp_path / "cells", setting)
    assert read(file) is None
    write(file, CELL, setting, {"calls": 3})
    found = read(file)
    assert found is not None
    assert (found["calls"], found["cell"]["family"], found["setting"]["users"]) == (3, "flash", 10)
    assert [f.name for f in file.parent.iterdir()] == [file.name]


def test_half_a_file_and_another_schema_are_no_result(tmp_path: Path) -> None:
    file = tmp_path / "cell.json"
    file.write_text('{"schema": 1, "cel')
    assert read(file) is None
    file.write_text('{"schema": 0}')
    assert read(file) is None


def test_cells_of_different_settings_never_share_a_file(tmp_path: Path) -> None:
    settings = [Setting(), Setting(part=0.1), Setting(users=9), Setting(held_out=True)]
    assert len({CELL.file(tmp_path, setting) for setting in settings}) == 4


def test_somebodys_own_app_has_a_name_that_a_file_can_have(tmp_path: Path) -> None:
    own = "http://127.0.0.1:8000/"
    cell = Cell("flash", 1, "aws-2022", own)
    assert cell.file(tmp_path, Setting(url=own)).parent == tmp_path


def test_held_out_seeds_are_others() -> None:
    assert Setting().seeds(3) == [1, 2, 3]
    assert Setting(held_out=True).seeds(2) == [1001, 1002]


def test_the_grid_goes_seed_by_seed() -> None:
    cells = list(grid(("a", "b"), (1, 2), ("p", "q"), ("none", "x")))
    assert len(cells) == 16
    assert {cell.seed for cell in cells[:8]} == {1}
