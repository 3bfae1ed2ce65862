"""A long command shows how far it is, and what it has done is kept when it is stopped."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import Progress

from pumpguard.commands import warn
from pumpguard.replay.checkpoint import save
from pumpguard.replay.logs import Found
from pumpguard.replay.play import Run

STOPPED = 130
"""The exit code, as of a program that Ctrl-C ends."""

SIGNALS = signal.SIGINT, signal.SIGTERM


@contextmanager
def ended_alike() -> Iterator[None]:
    """Meanwhile SIGTERM does what Ctrl-C does."""

    def end(number: int, _: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def reading(files: Sequence[Path]) -> Iterator[Callable[[int], object]]:
    """Tell it how many bytes of these files more were read: a bar on a terminal, else nothing. What
    was read is not kept if it is stopped: that is the smaller part of a replay."""
    total = sum(path.stat().st_size for path in files if path.is_file())
    try:
        quiet = not sys.stderr.isatty()
        with ended_alike(), Progress(console=Console(stderr=True), disable=quiet) as bar:
            task = bar.add_task("reading", total=total)
            yield lambda more: bar.advance(task, more)
    except KeyboardInterrupt:
        warn("stopped while it read the logs; nothing is kept, and the same command begins anew")
        raise typer.Exit(STOPPED) from None


@contextmanager
def progress(total: int) -> Iterator[Callable[[int], None]]:
    """Tell it how many are decided: a bar on a terminal, else a line for each tenth."""
    console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    if sys.stderr.isatty():
        with Progress(console=console) as bar:
            task = bar.add_task("deciding", total=total)
            yield lambda done: bar.update(task, completed=done)
        return
    shown = -1

    def line(done: int) -> None:
        nonlocal shown
        if 10 * done // total > shown:
            shown = 10 * done // total
            console.print(f"deciding: {done:,} of {total:,}")

    yield line


@contextmanager
def signals() -> Iterator[Callable[[], bool]]:
    """Whether somebody wants it to stop. A second time ends it at once."""
    came: list[int] = []

    def note(number: int, _: object) -> None:
        if came:
            raise KeyboardInterrupt
        came.append(number)

    before = {each: signal.signal(each, note) for each in SIGNALS}
    try:
        yield lambda: bool(came)
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@contextmanager
def kept_if_stopped(path: Path, command: str, found: Found, run: Run) -> Iterator[None]:
    """If it is stopped, what it has done is written to a file, by which the command goes on."""
    try:
        with ended_alike():
            yield
    except KeyboardInterrupt:
        save(path, command, found, run)
        warn(
            f"stopped after {run.done:,} entries; the same command with --resume goes on. {path} "
            "has numbers and addresses in it, and you alone may read it"
        )
        raise typer.Exit(STOPPED) from None
