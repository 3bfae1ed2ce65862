"""``pumpguard evidence``: what a provider asks for when fees are to be refunded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from pumpguard.commands import BAD_INPUT, PolicyFile, stop
from pumpguard.commands.replay import NO_ATTACKS, Column, Region, episodes_of, region_of
from pumpguard.config import require
from pumpguard.errors import PolicyError
from pumpguard.overrides.lists import keyed_hash
from pumpguard.policy import Policy
from pumpguard.replay.copies import Copies
from pumpguard.replay.evidence import Refusal, refusal, write
from pumpguard.replay.logs import digest, once, read
from pumpguard.replay.read import Table
from pumpguard.replay.sealed import SealedZip
from pumpguard.replay.summary import Shown, Telling

EMPTY = 2
"""The exit code where there is nothing to show."""


def evidence(
    files: Annotated[list[Path], typer.Argument(help="The provider's export, your table of codes "
                                                "entered, and the guard's events (JSON lines).")],
    policy: PolicyFile,
    begin: Annotated[str, typer.Option("--from", help="The first day or time, UTC: 2026-05-01.")],
    end: Annotated[str, typer.Option("--to", help="The day or time after the last: 2026-06-01.")],
    out: Annotated[Path, typer.Option(help="The zip to write.")] = Path("evidence.zip"),
    numbers: Annotated[Shown, typer.Option(help="How numbers are written.")] = "masked",
    addresses: Annotated[Shown, typer.Option(help="How addresses are written.")] = "masked",
    phone: Annotated[str | None, Column] = None,
    time: Annotated[str | None, Column] = None,
    ip: Annotated[str | None, Column] = None,
    verified: Annotated[str | None, Column] = None,
    price: Annotated[str | None, Column] = None,
    zone: Annotated[str, typer.Option(help="Of times that name none: Europe/Berlin.")] = "UTC",
    region: Annotated[str | None, Region] = None,
) -> None:  # fmt: skip
    """Pack what a provider needs to judge a refund: the messages of each attack, the ranges, the
    addresses, and what was refused, as CSV and with a summary, chained by hashes.

    Ends with 1 if a file or the policy is bad, and with 2 if no attack and no refusal was found.
    """
    given = {"phone": phone, "time": time, "address": ip, "verified": verified, "price": price}
    named = {meaning: column for meaning, column in given.items() if column is not None}
    try:
        loaded, span = Policy.from_toml(policy), (_time("--from", begin), _time("--to", end))
        require(span[0] < span[1], "--to", "a time after --from", end)
        where = region_of(region, loaded)
        files, notes = once(files)
        tables = {path: _is_events(path) for path in files}
        logs = [path for path, is_events in tables.items() if not is_events]
        events = [path for path, is_events in tables.items() if is_events]
        journal = None
        if logs:
            journal, read_as, said = read(logs, named, zone, where)
            notes += said
            if not journal.tells_attacks:
                notes.append(NO_ATTACKS)
            for name, columns, problems in read_as:
                notes += [columns.told(name), *problems.lines(name)]
        else:
            notes.append("No log of messages: what was sent is missing, only refusals are in it.")
        if not events:
            notes.append("No events of the guard: what it refused is missing.")
    except PolicyError as error:
        stop(str(error), BAD_INPUT)
    found_in = [] if journal is None else episodes_of(journal, loaded)
    episodes = [each for each in found_in if each.start < span[1] and each.end >= span[0]]
    telling = Telling(numbers, addresses, keyed_hash(loaded.secret))
    sources = {path.name: digest(path) for path in files}
    with SealedZip(out) as zipped:
        refusals = _refusals(events, span, telling, notes)
        found = write(zipped, sources, span, journal, episodes, refusals, telling,
                      loaded.price_table)  # fmt: skip
    console = Console(highlight=False, markup=False, soft_wrap=True)
    console.print(
        f"Attacks: {len(episodes)}, {found.messages:,} messages, ${found.usd:,.2f}; "
        f"{found.refused:,} refused.\n"
        f"Written to {out}. Its seal, to be kept elsewhere:\n{zipped.seal}"
    )
    for line in notes:
        console.print(line)
    if not found.messages and not found.refused:
        raise typer.Exit(EMPTY)


def _refusals(
    paths: Sequence[Path], span: tuple[float, float], telling: Telling, notes: list[str]
) -> Iterator[Refusal]:
    copies = Copies()
    for path in paths:
        table = Table(path)
        for line, row in copies.new(table.rows()):
            try:
                found = refusal(row, telling)
            except (KeyError, ValueError):
                table.problems.add(line, "no event of pumpguard")
                continue
            if found is not None and span[0] <= found.at < span[1]:
                yield found
        notes += table.problems.lines(path.name)
    notes += copies.told()


def _is_events(path: Path) -> bool:
    return "event_dataset" in Table(path).header


def _time(option: str, text: str) -> float:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise PolicyError(option, "a day or a time such as 2026-05-01", text) from None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
