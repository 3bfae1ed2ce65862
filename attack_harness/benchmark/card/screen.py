"""What the terminal shows: progress with the time left, then the targets and the comparison."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table as Grid

from ...figures import Table
from ..cells import Cell
from ..workers import Estimate
from .words import figure, goal, interval, limit, span

COLUMNS = {
    "saved": "saved",
    "saved_worst_family": "worst",
    "block_messages_p50": "unseen",
    "attacker_profit_max": "profit",
    "harmed_share_all": "refused",
    "challenged_share_during": "asked",
    "block_covered_p95": "innocent",
    "recovery_p95": "back",
}
"""The comparison's columns by figure."""

CAPTION = """unseen: messages before a block attack is refused; asked: challenged during an attack
innocent: numbers refused per attacked one; back: everybody is served again"""
WIDEST = 100


@contextmanager
def playing(
    total: int, finished: int, estimate: Estimate
) -> Iterator[Callable[[Cell, float], None]]:
    """A progress bar over all cells; call what it yields for each one that finishes."""
    columns = (
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TextColumn("{task.fields[left]}"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[last]}", style="dim"),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("", total=total, completed=finished, left="", last="")

        def watch(cell: Cell, seconds: float) -> None:
            estimate.learn(cell, seconds)
            last = f"{cell.family} {cell.seed} {cell.prices} {cell.defence}: {seconds:.1f} s"
            left = f"about {span(estimate.seconds)} left"
            progress.update(task, advance=1, left=left, last=last)

        yield watch


def show(scorecard: Table, files: Sequence[Path], console: Console | None = None) -> None:
    """Print the targets, then all defences beside each other."""
    console = console or Console(width=WIDEST)
    console.print(_targets(scorecard))
    console.print(_comparison(scorecard))
    for each in scorecard["run"]["warnings"]:
        console.print(each, style="yellow")
    console.print("  ".join(str(file) for file in files), style="dim")


def _targets(scorecard: Table) -> Grid:
    title = f"{scorecard['scored']}: figures to reach"
    grid = _grid(title, "figure", "target", "measured", "95 %", "")
    for each in scorecard["targets"]:
        verdict = {True: "[green]met[/]", False: "[red]missed[/]", None: "–"}[each["met"]]
        grid.add_row(each["title"], limit(each), goal(each), interval(each), verdict)
    return grid


def _comparison(scorecard: Table) -> Grid:
    held_out = " (held-out)" if scorecard["run"]["held_out"] else ""
    grid = _grid(f"All families, both price tables{held_out}", "defence", *COLUMNS.values())
    grid.caption, grid.caption_justify = CAPTION, "left"
    for defence in scorecard["defences"].values():
        found = defence["results"].get("overall", {}).get("all", {})
        grid.add_row(defence["title"], *(figure(name, found.get(name)) for name in COLUMNS))
    return grid


def _grid(title: str, *headings: str) -> Grid:
    grid = Grid(
        title=title,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
    )
    for number, heading in enumerate(headings):
        grid.add_column(heading, justify="right" if number else "left", no_wrap=True)
    return grid
