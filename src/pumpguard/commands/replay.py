"""``pumpguard replay``: last month's log, decided by a policy."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from rich.console import Console
from rich.progress import Progress

from pumpguard.commands import BAD_INPUT, AsJson, PolicyFile, only_errors, stop
from pumpguard.errors import PolicyError
from pumpguard.intake.phone import canonical
from pumpguard.ops.events.fields import policy_version
from pumpguard.policy import Policy
from pumpguard.replay.columns import Columns, guess
from pumpguard.replay.entry import Parser
from pumpguard.replay.episodes import Episode, find
from pumpguard.replay.journal import Journal
from pumpguard.replay.own_events import other_policy
from pumpguard.replay.page import page
from pumpguard.replay.play import play, told_apart
from pumpguard.replay.read import Table
from pumpguard.replay.report import Report

Files = Annotated[list[Path], typer.Argument(help="Logs: CSV or JSON lines, also .gz; several are "
                                                  "joined by number and time.")]  # fmt: skip
Column = typer.Option(help="The column with this, where the header does not tell.")


def replay(
    files: Files,
    policy: PolicyFile,
    phone: Annotated[str | None, Column] = None,
    time: Annotated[str | None, Column] = None,
    ip: Annotated[str | None, Column] = None,
    verified: Annotated[str | None, Column] = None,
    price: Annotated[str | None, Column] = None,
    session: Annotated[str | None, Column] = None,
    zone: Annotated[str, typer.Option(help="Of times that name none: Europe/Berlin.")] = "UTC",
    challenge: Annotated[
        bool, typer.Option(help="The app can ask for proof; who entered a code gives it.")
    ] = False,
    compare: Annotated[
        Path | None, typer.Option(help="Another policy: what would it decide otherwise?")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Also write the report as one page.")] = None,
    as_json: AsJson = False,
) -> None:
    """Decide recorded traffic: what attacks cost, what would have been refused, and whom it would
    have bothered. Nothing is sent, and nothing leaves this machine."""
    given = {"phone": phone, "time": time, "address": ip, "verified": verified, "price": price,
             "session": session}  # fmt: skip
    named = {meaning: column for meaning, column in given.items() if column is not None}
    try:
        loaded = Policy.from_toml(policy)
        other = None if compare is None else Policy.from_toml(compare)
        journal, tables, notes = read(files, named, zone, loaded.region)
        with only_errors():
            report = _played(journal, tables, notes, loaded, challenge)
            difference = None if other is None else _compared(report, other)
    except PolicyError as error:
        stop(str(error), BAD_INPUT)
    if html is not None:
        html.write_text(page(report), encoding="utf-8")
    said: dict[str, Any] = report.to_json() if as_json else {}
    console = Console(highlight=False, markup=False, soft_wrap=True)
    if not as_json:
        for line in report.lines():
            console.print(line)
    if difference is not None:
        said["compared"] = difference
        if not as_json:
            _print_difference(console, difference)
    if as_json:
        print(json.dumps(said))


def read(
    files: Sequence[Path], named: dict[str, str], zone: str, region: str | None
) -> tuple[Journal, list[tuple[Table, Columns]], list[str]]:
    """All files as one journal. Raises `PolicyError` for a file that is no log."""
    where = zone_of(zone)
    journal, tables, notes = Journal(), [], []
    for path in files:
        table = Table(path)
        given = named if len(files) == 1 else _there(named, table.header)
        columns = guess(table.header, given, path.name)
        parser = Parser(columns, where, region)
        journal.add(table, columns, parser)
        tables.append((table, columns))
        for what, count in parser.said.items():
            assumed = f", taken as {zone}" if "zone" in what else ""
            notes.append(f"{path.name}: {count:,} {what}{assumed}.")
    if not journal.messages:
        raise PolicyError("the log", "a message that can be read")
    journal.close_books()
    return journal, tables, notes


def zone_of(name: str) -> ZoneInfo:
    """A time zone by its name. Raises `PolicyError`."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise PolicyError("--zone", "a time zone such as Europe/Berlin", name) from None


def _there(named: dict[str, str], header: Sequence[str]) -> dict[str, str]:
    """Of several files, each has some of the columns."""
    return {meaning: column for meaning, column in named.items() if column in header}


def _played(
    journal: Journal,
    tables: list[tuple[Table, Columns]],
    notes: list[str],
    policy: Policy,
    challenge: bool,
) -> Report:
    ready, blind = told_apart(policy, journal)
    if journal.events and (other := other_policy(journal.versions, policy_version(policy))):
        blind.append(other)
    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("deciding", total=len(journal))
        tally, _ = asyncio.run(
            play(journal, ready, challenge=challenge,
                 watch=lambda number: progress.update(task, completed=number))
        )  # fmt: skip
    table = policy.price_table
    billed = sum(entry.price is not None for entry in journal if not entry.is_verification)
    prices = f"At the prices of {table.name}, {table.date}."
    if billed:
        prices = (
            f"At the log's own prices for {billed:,} messages, else {table.name}, {table.date}."
        )
    return Report(tables, journal, tally, episodes_of(journal, policy), [*notes, *blind], prices,
                  challenge)  # fmt: skip


def episodes_of(journal: Journal, policy: Policy) -> list[Episode]:
    """The attacks in a log, at the policy's prices where it has none."""
    table = policy.price_table
    return find(
        (entry, entry.price or table.price(canonical(entry.phone).region)) for entry in journal
    )


def _compared(report: Report, other: Policy) -> dict[str, Any]:
    """The other policy's money and customers, and the first messages about which both differ, with
    both explanations."""
    ready, _ = told_apart(other, report.journal)
    asks = report.challenge
    tally, _ = asyncio.run(play(report.journal, ready, challenge=asks))
    before = report.tally.verdicts
    changed = [i for i, (a, b) in enumerate(zip(before, tally.verdicts, strict=True)) if a != b]
    shown = changed[:10]
    _, old = asyncio.run(play(report.journal, report.tally.policy, challenge=asks, explain=shown))
    _, new = asyncio.run(play(report.journal, ready, challenge=asks, explain=shown))
    then = Report(report.tables, report.journal, tally, (), (), report.prices, asks).to_json()
    return {
        "usd": then["usd"], "by_rule": then["by_rule"], "customers": then["customers"],
        "changed": len(changed),
        "examples": [{"before": old[i], "after": new[i]} for i in shown if i in old],
    }  # fmt: skip


def _print_difference(console: Console, found: dict[str, Any]) -> None:
    usd, who = found["usd"], found["customers"]
    console.print(
        f"\nWith the other policy: ${usd['with']:,.2f}; {who['refused']:,} of {who['verified']:,} "
        f"customers refused, {who['asked']:,} asked. {found['changed']:,} messages are decided "
        "otherwise:"
    )
    for example in found["examples"]:
        console.print(f"\n  before: {example['before']}\n  after:  {example['after']}")
