"""``pumpguard top``: what the fleet sees, live."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Annotated

import typer
from rich import box
from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from pumpguard.commands import AsJson, PolicyFile, StoreUrl
from pumpguard.commands.desk import with_desk
from pumpguard.ops.fleet.attack import Place, attack
from pumpguard.ops.fleet.desk import Desk
from pumpguard.ops.fleet.summary import summary
from pumpguard.ops.fleet.view import FleetView
from pumpguard.times import minute

Every = Annotated[float, typer.Option(min=1.0, help="Seconds between two looks.")]
Once = Annotated[bool, typer.Option("--once", help="Show it once, and end.")]


def top(
    policy: PolicyFile,
    store: StoreUrl,
    every: Every = 2.0,
    once: Once = False,
    json_wanted: AsJson = False,
) -> None:
    """Show what the fleet sees, live: who reports, requests and dollars, what is under attack.

    Ends with Ctrl-C; --json and --once show it once. Nothing is asked of the app.
    """

    async def work(desk: Desk) -> None:
        view = await desk.reader.look()
        if json_wanted:
            typer.echo(json.dumps(summary(view), indent=2, ensure_ascii=False))
            return
        with Live(shown(view), auto_refresh=False, transient=not once) as live:
            while not once:
                await asyncio.sleep(every)
                live.update(shown(await desk.reader.look()), refresh=True)

    try:
        with_desk(policy, store, work)
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


def shown(view: FleetView) -> RenderableType:
    """The whole screen."""
    parts: list[RenderableType] = [_head(view), _sums(view)]
    found = attack(view)
    if found.places:
        since = "" if found.since is None else f" since {minute(found.since)}"
        parts.append(Text(f"Refused now{since}: {found.refused.n:,} requests", style="bold red"))
        parts.append(_tree(found.places))
    else:
        parts.append(Text("Nothing of note is refused now.", style="green"))
    return Group(*parts)


def _head(view: FleetView) -> Text:
    speaking, oldest = len(view.speaking), view.oldest
    if oldest is None:
        return Text(
            "No process reports: is Fleet(guard), or a console, in the app?", style="yellow"
        )
    names = "1 process reports" if speaking == 1 else f"{speaking} processes report"
    return Text(f"{minute(time.time())} UTC  {names}, the oldest report is {oldest:.0f} s old")


def _sums(view: FleetView) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    names = ("requests", "allowed", "asked", "refused", "spent", "asked for", "not spent")
    for name in ("last", *names):
        table.add_column(name, justify="left" if name == "last" else "right")
    for name, seen in (("hour", view.hour), ("day", view.day)):
        by = {action: amount.n for action, amount in seen.actions.items()}
        refused = by["throttle"] + by["block"] + by["shadow"]
        counts = (seen.requests, by["allow"], by["challenge"], refused)
        asked = seen.actions["challenge"].usd
        money = (f"${seen.spent:,.2f}", f"${asked:,.2f}", f"${seen.refused:,.2f}")
        table.add_row(name, *(f"{n:,}" for n in counts), *money)
    return table


def _tree(places: list[Place]) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for name in ("where", "refused, 10 min", "would have cost", "sent, 1 h", "since", "by"):
        left = name in ("where", "by")
        table.add_column(name, justify="left" if left else "right", no_wrap=name == "where")
    for depth, place in _walk(places, 0):
        arrow = " ↑" if place.rises else ""
        since = "" if place.since is None else minute(place.since)
        where = "  " * depth + place.name + arrow
        money = f"${place.now.usd:,.2f}"
        row = (where, f"{place.now.n:,}", money, f"{place.sent.n:,}", since, ", ".join(place.by))
        table.add_row(*row, style="bold" if not depth else None)
    return table


def _walk(places: list[Place], depth: int) -> Iterator[tuple[int, Place]]:
    for place in places:
        yield depth, place
        yield from _walk(place.parts, depth + 1)
