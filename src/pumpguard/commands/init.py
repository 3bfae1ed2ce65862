"""``pumpguard init``: a first policy from a log, or from five questions."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Annotated, Any

import typer
from rich.console import Console

from pumpguard.commands import BAD_INPUT, only_errors, stop
from pumpguard.commands.exposure import total
from pumpguard.commands.replay import episodes_of
from pumpguard.errors import PolicyError
from pumpguard.money.exposure import exposure
from pumpguard.policy import Policy
from pumpguard.replay.draft import TIMES, Setting, document, from_past, past, rounded_up
from pumpguard.replay.episodes import Episode
from pumpguard.replay.figures import interval, moment
from pumpguard.replay.journal import Journal
from pumpguard.replay.lacking import told_apart
from pumpguard.replay.logs import read
from pumpguard.replay.play import play
from pumpguard.replay.words import counted

APP = """\
from pumpguard import Guard, Policy, PumpGuardMiddleware, sender
from pumpguard.challenges import Altcha

policy = Policy.from_toml("{path}")
guard = Guard(policy, "redis://…", challenge=Altcha(policy))
app.add_middleware(PumpGuardMiddleware, guard=guard)
send_sms = sender(send_sms)  # where your function that sends is defined
"""

Route = Annotated[str | None, typer.Option(help="The route that sends a code.")]


@dataclass
class App:
    """What no log says: its routes, and what stands before it."""

    send: str
    verify: str
    proxies: list[str]


def init(
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Logs, as replay reads them; without, you are asked."),
    ] = None,
    out: Annotated[Path, typer.Option(help="The policy to write.")] = Path("policy.toml"),
    send: Route = None,
    verify: Annotated[str | None, typer.Option(help="The route where codes are entered.")] = None,
    proxies: Annotated[
        str | None, typer.Option(help="Networks of the proxies before the app, by commas.")
    ] = None,
    phone: Annotated[str | None, typer.Option(help="The log's column with the number.")] = None,
    time: Annotated[str | None, typer.Option(help="The log's column with the time.")] = None,
    ip: Annotated[str | None, typer.Option(help="The log's column with the address.")] = None,
    verified: Annotated[
        str | None, typer.Option(help="The log's column with when the code was entered.")
    ] = None,
    price: Annotated[str | None, typer.Option(help="The log's column with the price.")] = None,
    zone: Annotated[str, typer.Option(help="Of times that name none: Europe/Berlin.")] = "UTC",
    region: Annotated[
        str | None, typer.Option(help="Where numbers without a calling code are from.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a file.")] = False,
) -> None:
    """Write a first policy, every line with its reason: from a log, or from five questions. Ends
    with what it would have done to the log, and the most that an attacker can cost."""
    if out.exists() and not force:
        stop(f"{out} is there already; --force writes over it, --out names another", BAD_INPUT)
    given = {"phone": phone, "time": time, "address": ip, "verified": verified, "price": price}
    named = {meaning: column for meaning, column in given.items() if column is not None}
    console = Console(highlight=False, markup=False, soft_wrap=True)
    try:
        if files:
            said = {"send": send, "verify": verify, "proxies": proxies}
            app = App(send or "/otp/send", verify or "/otp/verify", _listed(proxies or ""))
            journal, found, notes = read(files, named, zone, region)
            for name, columns, problems in found:
                notes += [columns.told(name), *problems.lines(name)]
            base = Policy(send=app.send, region=region)
            episodes = episodes_of(journal, base)
            table = base.price_table
            source = ", ".join(path.name for path in files)
            learnt = from_past(
                past(journal, episodes, table), source, region, f"{table.name}, {table.date}"
            )
            head = (
                f"Made by pumpguard init from {source}: {counted(journal.messages, 'message')},\n"
                f"{moment(journal.first)} to {moment(journal.last)}."
            )
            text = document(head, [*_of_app(app, said), *learnt])
        else:
            text, journal, episodes, notes = _asked(send, verify, proxies), None, [], []
        policy = Policy.from_toml(text)
        result = [] if journal is None else _replayed(journal, policy, episodes)
        if files:
            result += [f"The whole report:\n\n    {_command(files, out, named, zone)}\n"]
        bound = total(exposure(policy))
    except PolicyError as error:
        stop(str(error), BAD_INPUT)
    _write(out, text)
    console.print(f"{text.replace(policy.secret, '…')}\nWritten to {out}, for you alone to read.\n")
    for line in (*notes, *result):
        console.print(line)
    table = policy.price_table
    console.print(
        f"An attacker can make this policy spend at most {bound}, at the prices of {table.name}, "
        f"{table.date} (pumpguard exposure {out}).\n\nIn the app:\n\n{APP.format(path=out)}"
    )


def _write(path: Path, text: str) -> None:
    """It has a secret in it."""
    with suppress(FileNotFoundError):
        path.unlink()
    with os.fdopen(
        os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", -1, "utf-8"
    ) as f:
        f.write(text)


def _of_app(app: App, said: Mapping[str, str | None] | None = None) -> list[Setting]:
    """The settings that no log says; ``said`` names the options that did, or else all was asked."""

    def how(name: str) -> str:
        known = said is None or said[name] is not None
        return "As you said." if known else "No log says it: change it to yours."

    return [
        Setting("send", app.send, f"The route that sends a code. {how('send')}"),
        Setting("verify", app.verify, f"The route where codes are entered. {how('verify')}\n"
                "An answer of 2xx there must mean that the code was right, see docs/setup.md."),
        Setting("proxies", app.proxies, "The proxies before the app, whose X-Forwarded-For is "
                f"believed. {how('proxies')}\nBehind one that is not named here all users look "
                "like one."),
        Setting("secret", token_hex(16), "Keys the hashes in the store, and challenges; made just "
                "now. The same in every process;\nkeep this file out of version control."),
    ]  # fmt: skip


def _asked(send: str | None, verify: str | None, proxies: str | None) -> str:
    """The policy of five answers. One that makes no sense is asked for again."""
    known: dict[str, Any] = {}
    _answer(known, "send", send, "1. The route that sends a code", str.strip, "/otp/send")
    _answer(known, "verify", verify, "2. The route where codes are entered", str.strip,
            "/otp/verify")  # fmt: skip
    _answer(known, "home", None, "3. The countries where most users live (GB, IE)",
            lambda text: [each.upper() for each in _listed(text)])  # fmt: skip
    _answer(known, "daily_budget", None, "4. USD that a busy day's messages cost", _budget)
    _answer(known, "proxies", proxies, "5. Networks of the proxies before the app (empty: none)",
            _listed, "")  # fmt: skip
    app = App(known["send"], known["verify"], known["proxies"])
    settings = [
        Setting("home", known["home"],
                "Where most users live. Elsewhere the limits are tight: list every country with "
                "real traffic."),
        Setting("daily_budget", known["daily_budget"],
                f"USD: {TIMES} times a busy day, as you said."),
    ]  # fmt: skip
    head = (
        "Made by pumpguard init from five answers. With a log it would know prices and countries."
    )
    return document(head, [*_of_app(app), *settings])


def _answer(
    known: dict[str, Any],
    setting: str,
    said: str | None,
    question: str,
    read: Callable[[str], Any],
    default: str | None = None,
) -> None:
    """Add a setting to those that are known: as an option ``said``, or as it is answered."""

    def checked(text: str) -> Any:
        try:
            value = read(text)
            Policy(**{"send": "/otp/send", **known, setting: value})
        except (PolicyError, ValueError) as error:
            raise typer.BadParameter(str(error)) from None
        return value

    if said is not None:
        known[setting] = read(said)
        return
    known[setting] = typer.prompt(
        question, default=default, show_default=bool(default), value_proc=checked
    )


def _budget(busy: str) -> float:
    """Of what a busy day costs. Raises `ValueError`."""
    try:
        usd = float(busy.strip().lstrip("$"))
    except ValueError:
        usd = 0.0
    if not usd > 0:
        raise ValueError(f"expected USD such as 40, got {busy!r}")
    return rounded_up(TIMES * usd)


def _replayed(journal: Journal, policy: Policy, episodes: list[Episode]) -> list[str]:
    """What the policy would have done to the log, in sentences, with an app that can ask for proof
    as the lines for it say."""
    ready, blind = told_apart(policy, journal)
    with only_errors():
        tally, _ = asyncio.run(play(journal, ready, challenge=True))
    spent = sum(each.usd for each in tally.without.values())
    left = sum(each.usd for each in tally.with_guard.values())
    cost = sum(each.usd for each in episodes)
    attacks = f"attacks found in it: {len(episodes)}, ${cost:,.2f}."
    if not journal.tells_attacks:
        attacks = "whether attacks are in it cannot be told without the codes that were entered."
    lines = [f"Of this log's ${spent:,.2f} it would have spent ${left:,.2f}; {attacks}"]
    who = tally.customers
    if who.all:
        low, high = interval(who.refused, who.all)
        lines.append(
            f"Of {counted(who.all, 'customer')} who entered a code {who.refused:,} would have got "
            f"none ({who.refused / who.all:.2%}; 95 % interval {low:.2%} to {high:.2%}), and "
            f"{who.asked:,} would have been asked for proof."
        )
    return [*blind, *lines]


def _command(files: list[Path], out: Path, named: Mapping[str, str], zone: str) -> str:
    """How to have the whole report: the logs as they were read here, and the policy."""
    words = ["pumpguard", "replay", *map(str, files), "--policy", str(out), "--challenge"]
    for meaning, column in named.items():
        words += [f"--{'ip' if meaning == 'address' else meaning}", column]
    return shlex.join(words if zone == "UTC" else [*words, "--zone", zone])


def _listed(text: str) -> list[str]:
    return [each for each in re.split(r"[,\s]+", text.strip()) if each]
