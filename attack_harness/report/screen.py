"""What the terminal shows: progress while running, and the scorecard at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from rich import box
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table as Grid
from rich.text import Text

from ..clock import DAY, MIDNIGHT, hour_label
from ..figures import Table
from .words import count, dollars, percent, rule

Watch: TypeAlias = Callable[[float], None]
"""Hears the simulated time as it passes."""

STEP = 60.0
"""Simulated seconds between two updates of the progress bar."""


@contextmanager
def watching(*names: str, days: int = 1) -> Iterator[list[Watch]]:
    """A progress bar for each run, moved by the simulated clock."""
    columns = (
        TextColumn("{task.description:<18}"),
        BarColumn(bar_width=40),
        TextColumn("{task.fields[clock]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        yield [_watch(progress, name, days * DAY) for name in names]


def _watch(progress: Progress, name: str, total: float) -> Watch:
    task: TaskID = progress.add_task(name, total=total, clock="--:--:--", start=False)
    seen = MIDNIGHT - STEP

    def watch(at: float) -> None:
        nonlocal seen
        if at - seen >= STEP:
            if seen < MIDNIGHT:
                progress.start_task(task)
            seen = at
            done = min(total, at - MIDNIGHT)
            clock = "24:00:00" if done == total else hour_label(at)
            progress.update(task, completed=done, clock=clock)

    return watch


def show(scorecard: Table, files: Sequence[Path], console: Console | None = None) -> None:
    """Print the scorecard, money first."""
    console = console or Console()
    parts: list[RenderableType] = [
        _headline(scorecard),
        _attacks(scorecard),
        _users(scorecard),
        _refusals(scorecard),
        Text("  ".join(str(file) for file in files), style="dim"),
    ]
    console.print(Group(*parts))


def _headline(scorecard: Table) -> Panel:
    s = scorecard["summary"]
    text = Text.assemble(
        (f"{percent(s['saved'])} saved", "bold green"),
        f"   {dollars(s['attack_spend_without'])} → {dollars(s['attack_spend_with'])}\n",
        (f"{count(s['users_harmed'])} of {count(s['users'])} users harmed", "bold"),
        f" ({percent(s['users_harmed_share'])})   {count(s['users_challenged'])} challenged\n",
        f"{count(s['messages_before_first_refusal'])} messages, "
        f"{dollars(s['spend_before_first_refusal'])}, before the first refusals",
    )
    return Panel(text, title="pumpguard scorecard", box=box.ROUNDED, expand=False)


def _attacks(scorecard: Table) -> Grid:
    """*Unnoticed* messages went out before the first refusal; *profit* is the attacker's."""
    grid = Grid(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
        caption="unnoticed: messages before the first refusal; profit: the attacker's",
        caption_justify="left",
    )
    for heading in ("attack", "requests", "spend", "guarded", "saved", "unnoticed", "profit"):
        grid.add_column(heading, justify="left" if heading == "attack" else "right", no_wrap=True)
    for attack in scorecard["attacks"].values():
        open_, shut, first = attack["without"], attack["with"], attack["before_first_refusal"]
        grid.add_row(
            attack["title"],
            count(shut["requests"]),
            dollars(open_["spend"]),
            dollars(shut["spend"]),
            percent(attack["saved"]),
            count(first["messages"]),
            dollars(shut["attacker_profit"]),
        )
    return grid


def _users(scorecard: Table) -> Grid:
    grid = Grid(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for heading in ("users", "people", "got code", "guarded", "harmed", "challenged", "delayed"):
        grid.add_column(heading, justify="left" if heading == "users" else "right", no_wrap=True)
    users = scorecard["users"]
    for name, group in {"all": users, **users["groups"]}.items():
        grid.add_row(
            rule(name),
            count(group["total"]),
            count(group["got_code_without"]),
            count(group["got_code_with"]),
            f"{count(group['harmed'])} ({percent(group['harmed_share'])})"
            if group["harmed"]
            else "0",
            count(group["challenged"]),
            count(group["delayed"]),
        )
    return grid


def _refusals(scorecard: Table) -> Text:
    ranked = sorted(scorecard["refusals_by_rule"].items(), key=lambda r: -r[1])
    said = ", ".join(f"{rule(name)} {count(number)}" for name, number in ranked) or "none"
    run = scorecard["run"]
    seconds = run["wall_seconds"]
    harmed = scorecard["users"]["harmed_by_refusal"].items()
    at = f"harmed at: {', '.join(f'{word} {count(n)}' for word, n in harmed)}\n" if harmed else ""
    return Text(
        f"{at}refusals: {said}\n"
        f"{run['mode']}, seed {run['seed']}: {count(run['calls']['without'])} calls in "
        f"{seconds['without']} s without, {count(run['calls']['with'])} in {seconds['with']} s with"
    )
