"""Plays all unfinished cells in several processes, and says how long it will take."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from statistics import fmean
from typing import TypeAlias

from .cells import Cell, Setting, read, write
from .defences import knows_prices
from .played import run_cells

Finished: TypeAlias = tuple[Cell, float]
"""A cell, and the seconds that it took."""

CELLS_PER_PROCESS = 40
"""Then new processes take over, so that nothing can pile up in memory. (The executor's own limit of
tasks per process may wait for ever: python/cpython#115634.)"""

_GUESS = 10.0


Play: TypeAlias = tuple[int, tuple[Cell, ...]]
"""Cells that one play settles, and the position of the first in the whole."""


def plays(cells: Sequence[tuple[int, Cell]]) -> list[Play]:
    """What has to be played: once for all price tables, where prices change no decision."""
    found: dict[Cell, tuple[int, list[Cell]]] = {}
    for position, cell in cells:
        alone = knows_prices(cell.defence)
        key = cell if alone else replace(cell, prices="")
        found.setdefault(key, (position, []))[1].append(cell)
    return [(position, tuple(together)) for position, together in found.values()]


def play_one(
    cells: Sequence[Cell], setting: Setting, folder: Path, position: int
) -> list[Finished]:
    """Play once in this process, and keep the results of all cells that it settles."""
    results = asyncio.run(run_cells(cells, setting, position))
    for cell, result in zip(cells, results, strict=True):
        write(cell.file(folder, setting), cell, setting, result)
    return [(c, float(r["wall_seconds"])) for c, r in zip(cells, results, strict=True)]


def _be_quiet() -> None:
    """Leave the log to errors: half of the cells are played with rules that nobody recommends."""
    logging.getLogger("pumpguard").setLevel(logging.ERROR)


def play_all(
    cells: Sequence[tuple[int, Cell]], setting: Setting, folder: Path, jobs: int
) -> Iterator[Finished]:
    """Play cells, each with its position in the whole; yields them as they finish."""
    wanted = plays(cells)
    if jobs == 1:
        for position, together in wanted:
            yield from play_one(together, setting, folder, position)
        return
    batch = jobs * CELLS_PER_PROCESS
    for first in range(0, len(wanted), batch):
        with ProcessPoolExecutor(jobs, get_context("spawn"), initializer=_be_quiet) as pool:
            waiting = [
                pool.submit(play_one, together, setting, folder, position)
                for position, together in wanted[first : first + batch]
            ]
            try:
                for future in as_completed(waiting):
                    yield from future.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise


class Estimate:
    """How long the rest will take, by what cells of the same family and defence took."""

    def __init__(self, left: Sequence[Cell], jobs: int) -> None:
        self._left = set(left)
        self._jobs = jobs
        self._took: dict[tuple[str, ...], list[float]] = {}

    def learn(self, cell: Cell, seconds: float) -> None:
        """A cell took so long."""
        self._left.discard(cell)
        for key in ((cell.family, cell.defence), (cell.defence,), ()):
            self._took.setdefault(key, []).append(seconds)

    @property
    def seconds(self) -> float:
        """What is left."""
        return sum(self._expected(cell) for cell in self._left) / self._jobs

    def _expected(self, cell: Cell) -> float:
        for key in ((cell.family, cell.defence), (cell.defence,), ()):
            if key in self._took:
                return fmean(self._took[key])
        return _GUESS


def unfinished(
    cells: Sequence[Cell], folder: Path, setting: Setting, *, again: bool
) -> list[tuple[int, Cell]]:
    """The cells to play, with their positions; ``again`` plays even finished ones."""
    return [
        (position, cell)
        for position, cell in enumerate(cells, 1)
        if again or read(cell.file(folder, setting)) is None
    ]
