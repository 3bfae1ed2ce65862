"""What commands about a fleet share: a guard that judges nothing, and its desk."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from pumpguard.challenges.base import Elsewhere
from pumpguard.commands import finished, only_errors, shared_store
from pumpguard.guard import Guard
from pumpguard.ops.fleet.desk import Desk, desk_of
from pumpguard.policy import Policy

T = TypeVar("T")

Asks = Annotated[
    bool, typer.Option("--challenge/--no-challenge", help="Whether the app has challenge=.")
]

# A group's options may stand before its command or behind it. Only the group reads the environment:
# behind, that would outdo what was typed before.
FILE, URL = "The policy, a TOML file.", "The store, as the app has it."
GroupPolicy = Annotated[Path | None, typer.Option("--policy", envvar="PUMPGUARD_POLICY", help=FILE)]
GroupStore = Annotated[str | None, typer.Option("--store", envvar="PUMPGUARD_REDIS_URL", help=URL)]
OwnPolicy = Annotated[Path | None, typer.Option("--policy", help=FILE)]
OwnStore = Annotated[str | None, typer.Option("--store", help=URL)]


def handed_on(context: typer.Context, policy: Path | None, store: str | None) -> bool:
    """Whether a command follows the group's own options, and has the policy and the store from
    them. Ends it if there were others, which it would not hear of."""
    context.obj = policy, store
    if context.invoked_subcommand is None:
        return False
    for option in context.command.params:
        source = context.get_parameter_source(option.name or "")
        typed = source is not None and source.name == "COMMANDLINE"
        if typed and option.name not in ("policy", "store"):
            hint = option.opts[0]
            what = f"{context.invoked_subcommand!r} takes its own behind it"
            raise typer.BadParameter(what, context, param_hint=hint)
    return True


def given(context: typer.Context, policy: Path | None, store: str | None) -> tuple[Path, str]:
    """The policy and the store of a command, or else those before it. Ends it without them."""
    policy_before, store_before = context.obj or (None, None)
    policy, store = policy or policy_before, store or store_before
    if policy is None or store is None:
        missing = "--policy" if policy is None else "--store"
        raise typer.BadParameter("it is missing", context, param_hint=missing)
    return policy, store


def with_desk(
    policy: Path, store: str, work: Callable[[Desk], Awaitable[T]], *, asks: bool = True
) -> T:
    """Ask or order something of the fleet; ``asks``: the app has a ``challenge=``. Ends the command
    with a message if that fails."""

    async def run(loaded: Policy) -> T:
        opened = shared_store(loaded, store)
        async with Guard(loaded, opened, challenge=Elsewhere() if asks else None) as guard:
            desk = desk_of(guard)
            assert desk is not None  # noqa: S101 - a store in Redis has one
            return await work(desk)

    with only_errors():
        return finished(policy, run, "an order may or may not stand")
