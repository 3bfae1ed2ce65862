"""``pumpguard reconcile``: the provider's bill against what passed the guard."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from pumpguard.commands import BAD_INPUT, AsJson, PolicyFile, stop
from pumpguard.commands.replay import Column, Region, region_of
from pumpguard.errors import PolicyError
from pumpguard.intake.phone import canonical
from pumpguard.overrides.lists import keyed_hash
from pumpguard.policy import Policy
from pumpguard.replay.columns import guess
from pumpguard.replay.copies import Copies
from pumpguard.replay.entry import Entry, Parser
from pumpguard.replay.figures import moment
from pumpguard.replay.logs import once, zone_of
from pumpguard.replay.problems import NO_ROWS
from pumpguard.replay.read import Table
from pumpguard.replay.reconcile import (
    Billed,
    Books,
    Reconciled,
    billed,
    to_json,
)
from pumpguard.replay.reconcile import (
    reconcile as compared,
)
from pumpguard.replay.words import counted

UNGUARDED = 2
"""The exit code where messages were billed that never passed the guard."""

SHOWN = 10


def reconcile(
    bill: Annotated[Path, typer.Argument(help="The provider's export of messages.")],
    events: Annotated[list[Path], typer.Argument(help="The guard's events, lines of JSON; all "
                                                 "processes' files, also .gz.")],
    policy: PolicyFile,
    phone: Annotated[str | None, Column] = None,
    time: Annotated[str | None, Column] = None,
    price: Annotated[str | None, Column] = None,
    zone: Annotated[str, typer.Option(help="Of times that name none: Europe/Berlin.")] = "UTC",
    region: Annotated[str | None, Region] = None,
    unguarded: Annotated[
        Path | None, typer.Option(help="Write the messages that never passed the guard, as CSV.")
    ] = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Which messages were billed and never passed the guard (a leaked key, an unguarded path),
    which passed and were never billed, and which countries' prices have moved.

    Ends with 1 if a file or the policy is bad, and with 2 if messages never passed the guard.
    """
    given = {"phone": phone, "time": time, "price": price}
    named = {meaning: column for meaning, column in given.items() if column is not None}
    try:
        loaded = Policy.from_toml(policy)
        messages, notes = _bill(bill, named, zone, region_of(region, loaded))
        books, copies = Books(), Copies()
        events, same = once(events)
        for path in events:
            notes += _events(path, books, copies)
        notes += [*same, *copies.told()]
    except PolicyError as error:
        stop(str(error), BAD_INPUT)
    found = compared(messages, books, keyed_hash(loaded.secret), loaded.price_table)
    if books.dropped:
        notes.append(f"{books.dropped:,} events were dropped: messages of theirs seem unguarded.")
    if found.outside == len(messages):
        notes.append("The events are of another time than the bill: nothing could be compared.")
    elif not found.matched:
        notes.append("Not one message was found in the events: is the policy's secret the app's?")
    if unguarded is not None:
        _write(unguarded, found)
    if as_json:
        print(json.dumps({**to_json(found, loaded.price_table, SHOWN), "notes": notes}))
    else:
        console = Console(highlight=False, markup=False, soft_wrap=True)
        for line in (*_lines(found, loaded), *notes):
            console.print(line)
    if found.unguarded:
        raise typer.Exit(UNGUARDED)


def _bill(
    path: Path, named: dict[str, str], zone: str, region: str | None
) -> tuple[list[Billed], list[str]]:
    table = Table(path)
    columns = guess(table.header, named)
    parser, found, line = Parser(columns, zone_of(zone), region), list[Entry](), 0
    for line, row in table.rows():
        try:
            found += [each for each in parser.entries(row) if not each.is_verification]
        except ValueError as error:
            table.problems.add(line, str(error))
    if not line:
        table.problems.add(0, NO_ROWS)
    bad = table.problems.lines(path.name)
    each_once = {entry.id or n: entry for n, entry in enumerate(found)}.values()
    if not (messages := [*billed(each_once)]):
        raise PolicyError(str(path), "\n  ".join(["a message that can be read", *bad]))
    if len(each_once) < len(found):
        twice = counted(len(found) - len(each_once), "row")
        bad.append(f"{path.name}: twice in it, by the provider's id, and left out once: {twice}.")
    said = [f"{path.name}: {what}: {count:,}." for what, count in parser.said.items()]
    return messages, [columns.told(path.name), *said, *bad]


def _events(path: Path, books: Books, copies: Copies) -> list[str]:
    table, before = Table(path), books.events + copies.left_out
    books.add(copies.new(table.rows()), table.problems)
    if books.events + copies.left_out == before:
        raise PolicyError(str(path), "events of pumpguard, one a line")
    return table.problems.lines(path.name)


def _lines(found: Reconciled, policy: Policy) -> list[str]:
    unguarded, unbilled = found.usd(policy.price_table)
    places = Counter(each.country for each in found.unguarded).most_common(8)
    lines = [
        f"Billed, and passed the guard: {found.matched:,}.",
        f"Billed, and never passed it: {len(found.unguarded):,}, ${unguarded:,.2f}"
        f"{': ' * bool(places)}{', '.join(f'{place} {count:,}' for place, count in places)}.",
    ]
    lines += [
        f"  {moment(each.at)} {canonical(each.phone).masked} ({each.country})"
        for each in found.unguarded[:SHOWN]
    ]
    if found.in_spite:
        lines.append(f"  {found.in_spite:,} of them it had refused: the app sends all the same.")
    if len(found.unguarded) > found.in_spite:
        lines.append("  A leaked key, or a way in the app that the guard does not see.")
    lines.append(f"Passed it, and never billed: {len(found.unbilled):,}, ${unbilled:,.2f}.")
    lines += [
        f"  {moment(each.at)} {each.masked} ({each.country})" for each in found.unbilled[:SHOWN]
    ]
    table = policy.price_table
    for place, ratio in found.drifted.items():
        count, usd, expected = found.prices[place]
        lines.append(
            f"{place} costs {ratio:.2f} times what {table.name} of {table.date} says: ${usd:,.2f} "
            f"for {count:,} messages, not ${expected:,.2f}. Limits in money let through that much "
            f"more: price_overrides = {{ {place} = {usd / count:.4f} }}."
        )
    if found.outside:
        lines.append(f"{found.outside:,} of the bill are from before or after the events.")
    return lines


def _write(path: Path, found: Reconciled) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["time", "number", "country", "usd"])
        for each in found.unguarded:
            usd = "" if each.usd is None else each.usd
            rows.writerow([moment(each.at), each.phone, each.country, usd])
