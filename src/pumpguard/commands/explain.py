"""``pumpguard explain``: what would happen to a request now, rule by rule, and why."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from pumpguard.commands import AsJson, PolicyFile, StoreUrl
from pumpguard.commands.bans import sentence
from pumpguard.commands.desk import Asks, with_desk
from pumpguard.decision import Action
from pumpguard.ops.fleet.desk import Desk, Story
from pumpguard.ops.fleet.summary import story_json
from pumpguard.ops.fleet.words import lines, verdict


def explain(
    number: Annotated[str, typer.Argument(help="The number that a message would go to.")],
    policy: PolicyFile,
    store: StoreUrl,
    ip: Annotated[str, typer.Option("--ip", help="The address that would ask.")] = "",
    asks: Asks = True,
    json_wanted: AsJson = False,
) -> None:
    """What would happen if it were asked for now, rule by rule, and why.

    Every counter is read and none is charged. Without --ip, what is counted by address is not
    known.
    """

    async def work(desk: Desk) -> Story:
        return await desk.story(number, ip)

    story = with_desk(policy, store, work, asks=asks)
    if json_wanted:
        typer.echo(json.dumps(story_json(story), indent=2, ensure_ascii=False))
        return
    head = story.explanation.decision.explain().splitlines()[0].partition(": ")[2]
    typer.echo(f"{head}: {verdict(story.explanation.decision)}")
    if asks and story.explanation.decision.action is Action.CHALLENGE:
        typer.echo("  (if the app has a challenge=; of one that has none --no-challenge tells)")
    for listing in story.listings:
        typer.echo(f"  on the list: {listing.verdict} {listing.kind} {listing.shown}")
    for finding in story.explanation.others:
        typer.echo(f"  {finding}")
    for rule in story.rules:
        mode = "" if rule.mode == "enforce" else f" ({rule.mode})"
        said = "has nothing against it" if rule.finding is None else str(rule.finding)
        typer.echo(f"  {said}" if rule.finding else f"  {rule.name}{mode}: {said}")
        for line in lines(rule):
            typer.echo(f"      {line}")
    for ban in story.bans:
        typer.echo(f"  to lift: pumpguard bans lift {ban.id}  # {sentence(ban)}")
