"""``pumpguard rules``: what each rule did today, and putting one into ``monitor`` for a while."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from pumpguard.commands import (
    BAD_INPUT,
    AsJson,
    Author,
    For,
    Reason,
    author_or_user,
    seconds_of,
    stop,
)
from pumpguard.commands.desk import (
    Asks,
    GroupPolicy,
    GroupStore,
    OwnPolicy,
    OwnStore,
    given,
    handed_on,
    with_desk,
)
from pumpguard.ops.fleet.desk import Desk
from pumpguard.ops.fleet.today import RuleToday, rules_today
from pumpguard.times import exactly

rules = typer.Typer(help="What each rule does, and putting one into monitor for a while.")

Name = Annotated[str, typer.Argument(help="The rule, as `pumpguard rules` calls it.")]


@rules.callback(invoke_without_command=True)
def show(
    context: typer.Context, policy: GroupPolicy = None, store: GroupStore = None,
    asks: Asks = True, json_wanted: AsJson = False,
) -> None:  # fmt: skip
    """Show each rule: its mode, what it refused in the last 24 hours, what it alone refused, and
    how many of those numbers were verified within three hours."""
    if handed_on(context, policy, store):
        return
    found = with_desk(*given(context, policy, store), rules_today, asks=asks)
    if json_wanted:
        _tell(found)
        return
    for each in found:
        typer.echo(_line(each))


@rules.command()
def monitor(
    context: typer.Context, name: Name, policy: OwnPolicy = None, store: OwnStore = None,
    lasting: For = None, reason: Reason = "", author: Author = None, json_wanted: AsJson = False,
) -> None:  # fmt: skip
    """Only record what a rule finds, in all processes, for --for (at most 7d)."""
    if lasting is None:
        stop("--for: expected an end, such as 2h", BAD_INPUT)

    async def work(desk: Desk) -> list[RuleToday]:
        who = author_or_user(author)
        await desk.monitor(name, seconds_of(lasting), author=who, reason=reason)
        return await rules_today(desk)

    found = with_desk(*given(context, policy, store), work)
    if json_wanted:
        _tell(found)
    else:
        typer.echo(
            f"{name} only monitors for {lasting}. What it bounded is not bounded until then."
        )


@rules.command()
def enforce(
    context: typer.Context, name: Name, policy: OwnPolicy = None, store: OwnStore = None,
    reason: Reason = "", author: Author = None, json_wanted: AsJson = False,
) -> None:  # fmt: skip
    """End that, before its time."""

    async def work(desk: Desk) -> list[RuleToday]:
        await desk.enforce(name, author=author_or_user(author), reason=reason)
        return await rules_today(desk)

    found = with_desk(*given(context, policy, store), work)
    if json_wanted:
        _tell(found)
    else:
        typer.echo(f"{name} is as the policy has it.")


def _tell(found: list[RuleToday]) -> None:
    """All rules, for programs."""
    typer.echo(json.dumps([each.to_json() for each in found], indent=2))


def _line(rule: RuleToday) -> str:
    until = "" if rule.until is None else f" until {exactly(rule.until)}, by {rule.author}"
    until += f": {rule.reason}" if rule.reason else ""
    later = "" if rule.verified_later is None else f", {rule.verified_later:.1%} verified later"
    alone = "" if rule.alone is None else f", alone {rule.alone:,}"
    return (
        f"{rule.name}: {rule.mode}{until}; refused {rule.refused:,} (${rule.usd:,.2f}){alone}, "
        f"monitored {rule.monitored:,}{later}"
    )
