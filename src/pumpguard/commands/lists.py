"""``pumpguard lists``: who is always let through, and who never is."""

from __future__ import annotations

from typing import Annotated, cast

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
from pumpguard.commands._print import print_listings, print_overrides
from pumpguard.overrides.lists import LISTED_KINDS, ListedKind

lists = typer.Typer(no_args_is_help=True, help="Who is always let through, and who never is.")

What = Annotated[str, typer.Argument(metavar=f"[{'|'.join(LISTED_KINDS)}]", help="What is named.")]
Whom = Annotated[str, typer.Argument(help="The number, +44740, a CIDR, an ISO code, an account.")]

FREELY = "Budgets do not hold them: the bound that `pumpguard exposure` prints is none for these."


@lists.command()
def show(policy: PolicyFile, store: StoreUrl, json_wanted: AsJson = False) -> None:
    """Show both lists. Numbers and accounts are kept as hashes and shown masked."""
    overrides = with_overrides(policy, store, lambda admin, _: admin.show())
    print_overrides(overrides, json_wanted, print_listings)


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
    overrides = with_overrides(
        policy,
        store,
        lambda admin, _: admin.allow(
            cast(ListedKind, kind),
            whom,
            author=author_or_user(author),
            reason=reason,
            seconds=seconds_of(lasting),
            spends_freely=spends_freely,
        ),
    )
    if spends_freely:
        warn(FREELY)
    print_overrides(overrides, json_wanted, print_listings)


@lists.command()
def deny(
    kind: What,
    whom: Whom,
    policy: PolicyFile,
    store: StoreUrl,
    lasting: For = None,
    reason: Reason = "",
    author: Author = None,
    json_wanted: AsJson = False,
) -> None:
    """Refuse them."""
    overrides = with_overrides(
        policy,
        store,
        lambda admin, _: admin.deny(
            cast(ListedKind, kind),
            whom,
            author=author_or_user(author),
            reason=reason,
            seconds=seconds_of(lasting),
        ),
    )
    print_overrides(overrides, json_wanted, print_listings)


@lists.command()
def remove(
    kind: What, whom: Whom, policy: PolicyFile, store: StoreUrl, json_wanted: AsJson = False
) -> None:
    """Take them off the list they are on."""
    overrides = with_overrides(
        policy, store, lambda admin, _: admin.remove(cast(ListedKind, kind), whom)
    )
    print_overrides(overrides, json_wanted, print_listings)
