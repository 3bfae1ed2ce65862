"""``pumpguard replay``: last month's log, decided by a policy."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer
from phonenumbers import SUPPORTED_REGIONS
from rich.console import Console

import pumpguard
from pumpguard.commands import BAD_INPUT, AsJson, PolicyFile, only_errors, stop
from pumpguard.commands.stopping import kept_if_stopped, progress, reading, signals
from pumpguard.config import require
from pumpguard.errors import PolicyError
from pumpguard.ops.events.fields import policy_version
from pumpguard.policy import Policy
from pumpguard.ranges import REGION
from pumpguard.replay.checkpoint import Stopped
from pumpguard.replay.compare import compared, lines
from pumpguard.replay.episodes import Episode, find
from pumpguard.replay.journal import Journal
from pumpguard.replay.lacking import monitoring, told_apart
from pumpguard.replay.logs import Found, read
from pumpguard.replay.own_events import other_policy
from pumpguard.replay.page import page
from pumpguard.replay.play import Run
from pumpguard.replay.report import Report
from pumpguard.replay.requests import Sending
from pumpguard.replay.words import counted

Files = Annotated[list[Path], typer.Argument(help="Logs: CSV or JSON lines, also .gz; several are "
                                                  "joined by number and time.")]  # fmt: skip
Column = typer.Option(help="The column with this, where the header does not tell.")
Region = typer.Option(help="Where numbers without a calling code are from; else the policy's.")


NO_ATTACKS = (
    "Attack episodes were not looked for: they show by what goes unanswered, and the log has no "
    "code that was entered."
)


def replay(
    files: Files,
    policy: PolicyFile,
    phone: Annotated[str | None, Column] = None,
    time: Annotated[str | None, Column] = None,
    ip: Annotated[str | None, Column] = None,
    verified: Annotated[str | None, Column] = None,
    price: Annotated[
        str | None, typer.Option(help="The column with the price, or USD for each message.")
    ] = None,
    session: Annotated[str | None, Column] = None,
    status: Annotated[str | None, Column] = None,
    method: Annotated[str | None, Column] = None,
    path: Annotated[str | None, Column] = None,
    route: Annotated[
        list[str] | None,
        typer.Option(help="In an access log: what sends, as POST /otp/send; else the policy's."),
    ] = None,
    zone: Annotated[str, typer.Option(help="Of times that name none: Europe/Berlin.")] = "UTC",
    region: Annotated[str | None, Region] = None,
    challenge: Annotated[
        bool, typer.Option(help="The app can ask for proof; who entered a code gives it.")
    ] = False,
    compare: Annotated[
        Path | None, typer.Option(help="Another policy: what would it decide otherwise?")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where the same command was stopped.")
    ] = False,
    checkpoint: Annotated[
        Path, typer.Option(help="What is written when it is stopped (Ctrl-C).")
    ] = Path("replay.checkpoint"),
    html: Annotated[Path | None, typer.Option(help="Also write the report as one page.")] = None,
    png: Annotated[Path | None, typer.Option(help="Also write it as a picture.")] = None,
    as_json: AsJson = False,
) -> None:
    """Decide recorded traffic: what attacks cost, what would have been refused, and whom it would
    have bothered. Nothing is sent, and nothing leaves this machine."""
    usd = _usd(price)
    if png is not None and find_spec("matplotlib") is None:
        stop('--png needs matplotlib: pip install "pumpguard[replay]"', BAD_INPUT)
    given = {"phone": phone, "time": time, "address": ip, "verified": verified,
             "price": price if usd is None else None, "session": session, "status": status,
             "method": method, "path": path}  # fmt: skip
    named = {meaning: column for meaning, column in given.items() if column is not None}
    try:
        loaded = Policy.from_toml(policy)
        other = None if compare is None else Policy.from_toml(compare)
        sending = Sending.of(route or loaded.send, loaded.verify)
        asked = _asked_for(files, loaded, other, [named, zone, region, usd, route, challenge])
        if resume:
            stopped = Stopped(checkpoint, asked)
            found = stopped.found
        else:
            with reading(files) as watch:
                found = read(files, named, zone, region_of(region, loaded), sending, usd, watch)
            stopped = None
        ready, blind = told_apart(loaded, found.journal)
        if other is not None:
            blind += monitoring(other, found.journal, "The other policy")
        run = Run(found.journal, ready, challenge=challenge)
        if stopped is not None:
            stopped.restore(run)
        with only_errors(), kept_if_stopped(checkpoint, asked, found, run):
            _play(run)
            report = _reported(found, run, loaded, blind)
            if usd is not None:
                report.prices = f"At ${usd:g} for each message, as you said."
            if png is not None:
                from pumpguard.replay.picture import picture

                picture(report, png)
            difference = None if other is None else compared(report, other, _leaving_out)
        if resume:
            checkpoint.unlink()
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
        for line in () if as_json else lines(difference):
            console.print(line)
    if as_json:
        print(json.dumps(said))


def region_of(said: str | None, policy: Policy) -> str | None:
    """Where numbers without a calling code are from. Raises `PolicyError`."""
    if said is None:
        return policy.region
    require(said.upper() in SUPPORTED_REGIONS, "--region", REGION, said)
    return said.upper()


def _usd(price: str | None) -> float | None:
    """The price of each message, if that was given and not a column."""
    try:
        usd = float(price or "")
    except ValueError:
        return None
    if not 0 < usd < 1_000:
        stop("--price: expected a column, or USD above 0 for each message", BAD_INPUT)
    return usd


def _asked_for(
    files: Sequence[Path], policy: Policy, other: Policy | None, options: list[Any]
) -> str:
    """A digest of what this command was asked for: by the same one only it goes on."""
    told = [
        pumpguard.__version__, policy_version(policy), other and policy_version(other), options,
        [[path.name, path.stat().st_size, path.stat().st_mtime_ns] for path in files
         if path.is_file()],
    ]  # fmt: skip
    return sha256(json.dumps(told).encode()).hexdigest()


def _play(run: Run) -> None:
    """Decide what is left, or be stopped."""
    with progress(len(run.journal)) as watch, signals() as stopped:
        asyncio.run(run.go_on(watch=watch, stopped=stopped))
        if stopped():
            raise KeyboardInterrupt
    run.forget_counters()


def _leaving_out(rule: str) -> None:
    typer.echo(f"without {rule} …", err=True)


def _reported(found: Found, run: Run, policy: Policy, blind: list[str]) -> Report:
    journal = found.journal
    if journal.events and (other := other_policy(journal.versions, policy_version(policy))):
        blind.append(other)
    table = policy.price_table
    prices = f"At the prices of {table.name}, {table.date}."
    if journal.priced:
        billed = counted(journal.priced, "message")
        prices = f"At the log's own prices for {billed}, else {table.name}, {table.date}."
    episodes = episodes_of(journal, policy)
    if not journal.tells_attacks:
        blind.append(NO_ATTACKS)
    notes = [*found.notes, *blind]
    return Report(found.files, journal, run.tally, episodes, notes, prices, run.challenge)


def episodes_of(journal: Journal, policy: Policy) -> list[Episode]:
    """The attacks in a log, at the policy's prices where it has none; none where it cannot tell."""
    if not journal.tells_attacks:
        return []
    table = policy.price_table
    return find((entry, entry.price or table.price(entry.whose.region)) for entry in journal)
