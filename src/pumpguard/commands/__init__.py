"""The commands, and what they share: options, the way to the store, and errors."""

from __future__ import annotations

import asyncio
import getpass
import logging
import re
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import typer
from rich.console import Console

from pumpguard.errors import OverrideError, PolicyError, StoreError
from pumpguard.listeners import Change, Listener, Listeners
from pumpguard.notices import Notices
from pumpguard.ops.events.fields import EventMaker
from pumpguard.overrides.admin import OverrideAdmin
from pumpguard.overrides.lists import keyed_hash
from pumpguard.policy import Policy
from pumpguard.store.redis import RedisStore

T = TypeVar("T")

BAD_INPUT, STORE_AWAY = 1, 3
"""Exit codes: the arguments or the policy make no sense; the store did not answer in time."""

STORE_DEADLINE = 5.0
"""Seconds for each of the store's answers: a person waits for it, and no request."""

UNCUT = 1_000_000_000
"""Events in the stream, of which a command takes none away: how many are kept, the app says."""

UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}

PolicyFile = Annotated[
    Path, typer.Option("--policy", envvar="PUMPGUARD_POLICY", help="The policy, a TOML file.")
]
StoreUrl = Annotated[
    str, typer.Option("--store", envvar="PUMPGUARD_REDIS_URL", help="The store, as the app has it.")
]
For = Annotated[str | None, typer.Option("--for", help="How long: 90s, 30m, 12h, 7d.")]
Reason = Annotated[str, typer.Option(help="Why; others will want to know.")]
Author = Annotated[str | None, typer.Option(help="Who; the user of this machine by default.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]


class Orders(Listener):
    """Orders that a command gives, for the stream of events, if the fleet has one."""

    name = "the stream of events"

    def __init__(self) -> None:
        self._changes: list[Change] = []

    def overridden(self, change: Change) -> None:
        self._changes.append(change)

    async def write(self, store: RedisStore, policy: Policy) -> None:
        """Add them to the stream. Raises `StoreError`."""
        if self._changes and await store.stream.last(1):
            maker = EventMaker(policy)
            lines = [maker.line(change) for change in self._changes]
            await store.stream.append(lines, UNCUT)


def with_overrides(
    policy: Path, store: str, work: Callable[[OverrideAdmin, Policy], Awaitable[T]]
) -> T:
    """Show or change a policy's overrides. Ends the command with a message if that fails."""

    async def run(loaded: Policy) -> T:
        opened = shared_store(loaded, store)
        hashed, listeners, orders = keyed_hash(loaded.secret), Listeners(Notices()), Orders()
        listeners.append(orders)
        admin = OverrideAdmin(opened.overrides, hashed, region=loaded.region, listeners=listeners)
        try:
            done = await work(admin, loaded)
            with suppress(StoreError):  # the order holds all the same
                await orders.write(opened, loaded)
            return done
        finally:
            await opened.aclose()

    unsure = "the change may or may not be in force; look with: pumpguard posture"
    return finished(policy, run, unsure)


def finished(policy: Path, run: Callable[[Policy], Coroutine[Any, Any, T]], unsure: str) -> T:
    """Run something about a policy. Ends the command with a message if that fails; ``unsure`` says
    what is not known where the store did not answer."""
    try:
        return asyncio.run(run(Policy.from_toml(policy)))
    except OverrideError as error:
        stop(str(error), BAD_INPUT)
    except PolicyError as error:
        stop(f"{policy}: {error}", BAD_INPUT)
    except StoreError as error:
        stop(f"the store did not answer ({error}): {unsure}", STORE_AWAY)


@contextmanager
def only_errors() -> Iterator[None]:
    """What a guard says to the operator of a running app is not what a command was asked for."""
    logger = logging.getLogger("pumpguard")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def shared_store(policy: Policy, url: str) -> RedisStore:
    """The store of a policy's app, with a longer deadline. Raises `PolicyError`."""
    if url.startswith("memory://"):
        wanted = "one that several processes share; memory:// is inside one"
        raise OverrideError("store", wanted, url)
    return RedisStore(
        url, name=policy.name, secret=policy.secret, deadline=STORE_DEADLINE, shards=policy.shards
    )


def seconds_of(text: str | None) -> float | None:
    """``30m`` in seconds. Raises `OverrideError`."""
    if text is None:
        return None
    duration = re.fullmatch(r"([0-9]{1,7})([smhd])", text)
    if duration is None:
        raise OverrideError("for", "a time such as 90s, 30m, 12h or 7d", text)
    return float(duration[1]) * UNITS[duration[2]]


def author_or_user(author: str | None) -> str:
    """The author, by default the user of this machine."""
    if author is not None:
        return author
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container whose user has no name
        return "unknown"


def stop(message: str, code: int) -> NoReturn:
    """End the command, with a message on standard error."""
    warn(message)
    raise typer.Exit(code) from None


def warn(message: str) -> None:
    """Print a message on standard error."""
    Console(stderr=True, soft_wrap=True, highlight=False, markup=False).print(message, style="red")
