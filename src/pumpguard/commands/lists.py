"""``pumpguard lists``: who is always let through, and who never is."""

from __future__ import annotations

from typing import Annotated, cast

import typer

from pumpguard.commands import showing
from pumpguard.commands.giving import (
    AsJson,
    Author,
    For,
    PolicyFile,
    Reason,
    StoreUrl,
    at_the_desk,
    author_or_user,
    seconds_of,
    warn,
)
from pumpguard.orders.document import Orders
from pumpguard.orders.lists import KINDS, Kind

lists = typer.Typer(no_args_is_help=True, help="Who is always let through, and who never is.")

What = Annotated[str, typer.Argument(metavar=f"[{'|'.join(KINDS)}]", help="What is named.")]
Whom = Annotated[str, typer.Argument(help="The number, +44740, a CIDR, an ISO code, an account.")]

FREELY = "Budgets do not hold them: the bound that `pumpguard exposure` prints is none for these."


@lists.command()
def show(policy: PolicyFile, store: StoreUrl, json_wanted: AsJson = False) -> None:
    """Show both lists. Numbers and accounts are kept as hashes and shown masked."""
    _show(at_the_desk(policy, store, lambda desk, _: desk.show()), json_wanted)


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
    orders = at_the_desk(
        policy,
        store,
        lambda desk, _: desk.allow(
            cast(Kind, kind),
            whom,
            author=author_or_user(author),
            reason=reason,
            seconds=seconds_of(lasting),
            spends_freely=spends_freely,
        ),
    )
    if spends_freely:
        warn(FREELY)
    _show(orders, json_wanted)


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
    orders = at_the_desk(
        policy,
        store,
        lambda desk, _: desk.deny(
            cast(Kind, kind),
            whom,
            author=author_or_user(author),
            reason=reason,
            seconds=seconds_of(lasting),
        ),
    )
    _show(orders, json_wanted)


@lists.command()
def remove(
    kind: What, whom: Whom, policy: PolicyFile, store: StoreUrl, json_wanted: AsJson = False
) -> None:
    """Take them off the list they are on."""
    orders = at_the_desk(policy, store, lambda desk, _: desk.remove(cast(Kind, kind), whom))
    _show(orders, json_wanted)


def _show(orders: Orders, json_wanted: bool) -> None:
    showing.show(orders, json_wanted, showing.print_listings)
