"""``pumpguard posture``: how strict the whole fleet is, and the switch for it."""

from __future__ import annotations

from typing import Annotated

import typer

from pumpguard.commands._options import (
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
from pumpguard.commands._print import print_overrides, print_postures
from pumpguard.overrides.admin import OverrideAdmin
from pumpguard.overrides.document import OverrideDocument
from pumpguard.policy import Policy

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
        bool, typer.Option("--anew", help="Forget orders that cannot be read, lists and all.")
    ] = False,
    json_wanted: AsJson = False,
) -> None:
    """Show or switch the posture of all processes that share the store.

    Every process obeys from its next request on, at the latest within a second. A country's own
    posture holds where it is stricter. "normal" ends an order, also the ladder's.

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

    overrides = with_overrides(policy, store, work)
    print_overrides(overrides, json_wanted, print_postures)
