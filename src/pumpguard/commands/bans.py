"""``pumpguard bans``: those that stand, and lifting one."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from pumpguard.commands import AsJson, Author, Reason, author_or_user
from pumpguard.commands.desk import (
    GroupPolicy,
    GroupStore,
    OwnPolicy,
    OwnStore,
    given,
    handed_on,
    with_desk,
)
from pumpguard.ops.fleet.bans import Shown
from pumpguard.ops.fleet.desk import Desk
from pumpguard.times import exactly

bans = typer.Typer(help="The bans that stand, and lifting them.")

Search = Annotated[str, typer.Option(help="Only those with these words: a rule, 203.0.113, BD.")]


@bans.callback(invoke_without_command=True)
def show(
    context: typer.Context,
    policy: GroupPolicy = None,
    store: GroupStore = None,
    search: Search = "",
    json_wanted: AsJson = False,
) -> None:
    """Show the bans that stand, the one that ends first in front; numbers and addresses are masked.

    Listed is what processes with `Fleet(guard)` or a console have met, at most 5,000.
    """
    if handed_on(context, policy, store):
        return
    found = with_desk(*given(context, policy, store), lambda desk: desk.bans(search))
    if json_wanted:
        typer.echo(json.dumps([asdict(each) for each in found], indent=2, ensure_ascii=False))
        return
    for each in found:
        typer.echo(f"{each.id}  {sentence(each)}")
    if not found:
        typer.echo("No ban stands." if not search else "No ban that stands has these words.")


@bans.command()
def lift(
    context: typer.Context,
    id_: Annotated[str, typer.Argument(metavar="ID", help="As `pumpguard bans` shows it.")],
    policy: OwnPolicy = None,
    store: OwnStore = None,
    reason: Reason = "",
    author: Author = None,
    json_wanted: AsJson = False,
) -> None:
    """Lift a ban, with the strikes that led to it; in every process within five seconds."""

    async def work(desk: Desk) -> Shown | None:
        return await desk.lift(id_, author=author_or_user(author), reason=reason)

    found = with_desk(*given(context, policy, store), work)
    if json_wanted:
        lifted = None if found is None else asdict(found)
        typer.echo(json.dumps({"lifted": lifted}, indent=2, ensure_ascii=False))
        return
    typer.echo("Lifted." if found is None else f"Lifted: {sentence(found)}")


def sentence(ban: Shown) -> str:
    """A ban in a line."""
    return (
        f"{ban.rule}: {ban.subject} ({ban.country}) is to {ban.action}, level {ban.level}, "
        f"until {exactly(ban.until)}"
    )
