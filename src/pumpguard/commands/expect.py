"""``pumpguard expect``: announce a launch, and say what an attacker can cost meanwhile."""

from __future__ import annotations

import json
import time
from typing import Annotated

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
    with_overrides,
)
from pumpguard.commands.exposure import total, while_expected
from pumpguard.money.exposure import exposure as exposure_of
from pumpguard.money.solve import dollars
from pumpguard.overrides.admin import OverrideAdmin
from pumpguard.overrides.document import OverrideDocument
from pumpguard.policy import Policy
from pumpguard.times import exactly


def expect(
    policy: PolicyFile,
    store: StoreUrl,
    times: Annotated[
        float | None,
        typer.Option(help="How many times as much as usual; 1 ends it. Without it, show."),
    ] = None,
    country: Annotated[str | None, typer.Option(help="To this country only (ISO code).")] = None,
    lasting: For = None,
    reason: Reason = "",
    author: Author = None,
    json_wanted: AsJson = False,
) -> None:
    """Announce a launch: so many times as much as usual, to a country or to all, for a while.

    Lines of credit and limits by country and of everything, and the hour's share of budgets, are as
    many times as wide meanwhile; the day's and month's budgets are not. It ends by itself. Said is
    what an attacker can cost at most until then.

    Ends with 1 for what makes no sense, and with 3 if the store does not answer.
    """

    async def work(admin: OverrideAdmin, loaded: Policy) -> tuple[OverrideDocument, Policy]:
        if times is None:
            return await admin.show(), loaded
        overrides = await admin.expect(
            times,
            country=country,
            seconds=seconds_of(lasting),
            author=author_or_user(author),
            reason=reason,
        )
        return overrides, loaded

    overrides, loaded = with_overrides(policy, store, work)
    now = time.time()
    if json_wanted:
        typer.echo(json.dumps(overrides.to_json(now), indent=2))
        return
    for line in _lines(overrides, now):
        typer.echo(line)
    if expected := overrides.expected(now):
        usual = exposure_of(loaded)
        typer.echo(while_expected(exposure_of(loaded, expected=expected)))
        hour = dollars(usual.unverified.hour)
        typer.echo(f"Otherwise: {total(usual)}; {hour} per hour without any code.")


def _lines(overrides: OverrideDocument, now: float) -> list[str]:
    """What is expected, a sentence each."""
    found = []
    for country, each in sorted(overrides.expectations.items()):
        if each.in_force(now):
            reason = f": {each.reason}" if each.reason else ""
            found.append(
                f"{country or 'everywhere'}: {each.times:g} times as much as usual, by "
                f"{each.author} at {exactly(each.at)}, until {exactly(each.until)}{reason}"
            )
    return found or ["Nothing is expected beyond what is usual."]
