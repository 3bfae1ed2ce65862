"""``pumpguard posture`` and ``pumpguard lists``: show and change the run-time overrides."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, cast

import typer

from pumpguard.commands import (
    AsJson,
    Author,
    For,
    PolicyFile,
    Reason,
    StoreUrl,
    author_or_user,
    seconds_of,
    warn,
    with_overrides,
)
from pumpguard.overrides.admin import OverrideAdmin
from pumpguard.overrides.document import OverrideDocument
from pumpguard.overrides.lists import LISTED_KINDS, ListedKind
from pumpguard.overrides.posture import EVERYWHERE, Posture, PostureOverride
from pumpguard.policy import Policy
from pumpguard.times import exactly

lists = typer.Typer(no_args_is_help=True, help="Who is always let through, and who never is.")

What = Annotated[str, typer.Argument(metavar=f"[{'|'.join(LISTED_KINDS)}]", help="What is named.")]
Whom = Annotated[str, typer.Argument(help="The number, +44740, a CIDR, an ISO code, an account.")]

FREELY = "Budgets do not hold them: the bound that `pumpguard exposure` prints is none for these."

WARNINGS = {
    "observe": "observe: nothing is enforced, neither rules nor denials nor budgets. Until this "
    "ends, nothing bounds what is spent.",
    "challenge_all": "challenge_all: an app without challenge= has no way to tell who has given "
    "proof, and lets nobody through.",
}
KNOWS_NOBODY = (
    "known_only: this policy hears of no verifications (verify= or settled=), so it knows nobody "
    "and lets only the allowed through."
)


def posture(
    policy: PolicyFile,
    store: StoreUrl,
    to: Annotated[
        str | None,
        typer.Argument(
            metavar="[observe|normal|challenge_all|known_only|closed]",
            help="What to switch to; without it, what stands is shown.",
        ),
    ] = None,
    country: Annotated[str | None, typer.Option(help="For this country only (ISO code).")] = None,
    lasting: For = None,
    then: Annotated[str, typer.Option(help="What it steps down to after --for.")] = "normal",
    reason: Reason = "",
    author: Author = None,
    anew: Annotated[
        bool, typer.Option("--anew", help="Forget overrides that cannot be read, lists and all.")
    ] = False,
    json_wanted: AsJson = False,
) -> None:
    """Show or switch the posture of all processes that share the store.

    Every process obeys from its next request on, at the latest within a second. A country's own
    posture holds where it is stricter. "normal" ends one, and what escalation has done.

    Ends with 1 for what makes no sense, and with 3 if the store does not answer.
    """

    async def work(admin: OverrideAdmin, loaded: Policy) -> OverrideDocument:
        if to is None:
            return await admin.show()
        overrides = await admin.posture(
            to,
            author=author_or_user(author),
            reason=reason,
            country=country,
            seconds=seconds_of(lasting),
            then=then,
            anew=anew,
        )
        warning = KNOWS_NOBODY if to == "known_only" and not loaded.verified else WARNINGS.get(to)
        if warning:
            warn(warning)
        return overrides

    _run(policy, store, work, json_wanted, _print_postures)


@lists.command()
def show(policy: PolicyFile, store: StoreUrl, json_wanted: AsJson = False) -> None:
    """Show both lists. Numbers and accounts are kept as hashes and shown masked."""
    _run(policy, store, lambda admin, _: admin.show(), json_wanted)


@lists.command()
def allow(
    kind: What,
    whom: Whom,
    policy: PolicyFile,
    store: StoreUrl,
    lasting: For = None,
    reason: Reason = "",
    author: Author = None,
    spends_freely: Annotated[
        bool, typer.Option("--spends-freely", help="Not even budgets hold.")
    ] = False,
    json_wanted: AsJson = False,
) -> None:
    """Never refuse them, but by budgets and when closed. Wins over a denial."""

    async def work(admin: OverrideAdmin, _: Policy) -> OverrideDocument:
        overrides = await admin.allow(
            cast(ListedKind, kind),
            whom,
            author=author_or_user(author),
            reason=reason,
            seconds=seconds_of(lasting),
            spends_freely=spends_freely,
        )
        if spends_freely:
            warn(FREELY)
        return overrides

    _run(policy, store, work, json_wanted)


@lists.command()
def deny(
    kind: What, whom: Whom, policy: PolicyFile, store: StoreUrl, lasting: For = None,
    reason: Reason = "", author: Author = None, json_wanted: AsJson = False,
) -> None:  # fmt: skip
    """Refuse them."""

    async def work(admin: OverrideAdmin, _: Policy) -> OverrideDocument:
        who, seconds = author_or_user(author), seconds_of(lasting)
        return await admin.deny(
            cast(ListedKind, kind), whom, author=who, reason=reason, seconds=seconds
        )

    _run(policy, store, work, json_wanted)


@lists.command()
def remove(
    kind: What, whom: Whom, policy: PolicyFile, store: StoreUrl, json_wanted: AsJson = False
) -> None:
    """Take them off the list they are on."""
    _run(policy, store, lambda admin, _: admin.remove(cast(ListedKind, kind), whom), json_wanted)


def _print_listings(overrides: OverrideDocument) -> None:
    """Print both lists, a line for each entry."""
    for each in sorted(overrides.listings, key=lambda each: (each.verdict, each.kind, each.shown)):
        how = " (spends freely)" if each.spends_freely else ""
        end = "" if each.until is None else f", until {exactly(each.until)}"
        reason = f": {each.reason}" if each.reason else ""
        by = f"by {each.author} at {exactly(each.at)}"
        typer.echo(f"{each.verdict} {each.kind} {each.shown}{how}, {by}{end}{reason}")
    if not overrides.listings:
        typer.echo("Nobody is on a list.")


def _run(
    policy: Path,
    store: str,
    work: Callable[[OverrideAdmin, Policy], Awaitable[OverrideDocument]],
    json_wanted: bool,
    print_some: Callable[[OverrideDocument], None] = _print_listings,
) -> None:
    """Show or change overrides; print all as JSON, or those that the command is about."""
    overrides = with_overrides(policy, store, work)
    if json_wanted:
        typer.echo(json.dumps(overrides.to_json(time.time()), indent=2))
    else:
        print_some(overrides)


def _print_postures(overrides: OverrideDocument) -> None:
    """Print the fleet's posture, and those of countries that have their own."""
    now = time.time()
    typer.echo(f"posture: {overrides.fleet(now)}{_reason(overrides, now)}")
    for country, override in sorted(overrides.postures.items()):
        if country != EVERYWHERE and override.in_force(now) is not None:
            typer.echo(f"{country}: {overrides.posture(country, now)}{_by_whom(override)}")


def _reason(overrides: OverrideDocument, now: float) -> str:
    override = overrides.postures.get(EVERYWHERE)
    if override is not None and (overrides.set_by_person(now) or overrides.step is None):
        if override.until is None or now < override.until:
            return _by_whom(override)
        ended = exactly(override.until)
        return f", since {override.posture} by {override.author} has ended at {ended}"
    if overrides.step is not None and overrides.fleet(now) is not Posture.NORMAL:
        step = overrides.step
        at = exactly(step.last_seen)
        return f", by escalation after {step.code} at {at}, steps down when calm"
    return ""


def _by_whom(override: PostureOverride) -> str:
    reason = f": {override.reason}" if override.reason else ""
    end = (
        "" if override.until is None else f", until {exactly(override.until)}, then {override.then}"
    )
    return f", by {override.author} at {exactly(override.at)}{end}{reason}"
