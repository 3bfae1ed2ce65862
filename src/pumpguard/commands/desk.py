"""What commands about a fleet share: a guard that judges nothing, and its desk."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from pumpguard.challenges.base import Elsewhere
from pumpguard.commands import BAD_INPUT, STORE_AWAY, shared_store, stop
from pumpguard.errors import OverrideError, PolicyError, StoreError
from pumpguard.guard import Guard
from pumpguard.ops.fleet.desk import Desk, desk_of
from pumpguard.policy import Policy

T = TypeVar("T")

Asks = Annotated[
    bool, typer.Option("--challenge/--no-challenge", help="Whether the app has challenge=.")
]


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

    logger = logging.getLogger("pumpguard")
    before = logger.level
    logger.setLevel(logging.ERROR)  # how the app is set up, it says itself
    try:
        return asyncio.run(run(Policy.from_toml(policy)))
    except OverrideError as error:
        stop(str(error), BAD_INPUT)
    except PolicyError as error:
        stop(f"{policy}: {error}", BAD_INPUT)
    except StoreError as error:
        stop(f"the store did not answer ({error}): an order may or may not stand", STORE_AWAY)
    finally:
        logger.setLevel(before)
