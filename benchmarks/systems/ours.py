"""pumpguard with its whole default policy, as the README shows it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import cache
from typing import Any

from starlette.types import ASGIApp

from pumpguard import Guard, Policy, PumpGuardMiddleware
from pumpguard.intake.network import PackagedNetworks
from pumpguard.store.base import Store
from pumpguard.store.memory import MemoryStore

from ..kit.traffic import HOME, PATH, VERIFY
from . import Variant
from .app import make_app

DEADLINE = 5.0
"""Long, so that a pause of a shared machine is measured and not mistaken for a lost Redis."""

PLENTY = 9_000_000.0
"""USD a day: what is measured is what deciding costs, and not when the money ends."""

SMALL = 600.0
"""USD a day where the defence itself is measured."""

ROOM = 600_000
"""Requests that the store in memory has room for: a whole run's."""


@cache
def networks() -> PackagedNetworks:
    """The address data, loaded once."""
    return PackagedNetworks()


def policy(rules: Any = None, **more: Any) -> Policy:
    """The default policy for this traffic, or one with other rules."""
    settings: dict[str, Any] = {
        "deadline": DEADLINE, "name": "bench", "daily_budget": PLENTY, **more,
    }  # fmt: skip
    return Policy(send=PATH, home=HOME, rules=rules, **settings)


def guard(
    store: str | Store, rules: Sequence[Any] | None = None, stack: AsyncExitStack | None = None,
    **more: Any,
) -> Guard:  # fmt: skip
    """A guard over a store, closed with the stack."""
    chain = None if rules is None else tuple(rules)
    made = Guard(policy(chain, **more), store, networks=networks())
    if stack is not None:
        stack.push_async_callback(made.aclose)
    return made


async def on_redis(url: str, stack: AsyncExitStack, amount: int) -> ASGIApp:
    """The default policy over Redis, which has been looked at: that is no part of a request."""
    made = guard(url, stack=stack)
    await made.check()
    return PumpGuardMiddleware(make_app(), guard=made)


async def flooded(url: str, stack: AsyncExitStack, amount: int) -> ASGIApp:
    """The default policy with a budget that a small shop has, and verifications."""
    made = guard(url, stack=stack, daily_budget=SMALL, verify=VERIFY, deadline=1.0)
    await made.check()
    return PumpGuardMiddleware(make_app(), guard=made)


async def in_memory(url: str, stack: AsyncExitStack, amount: int) -> ASGIApp:
    """The default policy in this process."""
    return PumpGuardMiddleware(make_app(), guard=guard(MemoryStore(ROOM), stack=stack))


NOTE = "body, phone, country, network kind, the whole default chain, bans; one decision"

OURS = (
    Variant("pumpguard", "pumpguard, Redis", "ours", 20, on_redis, NOTE),
    Variant("pumpguard_memory", "pumpguard, in memory", "ours", 20, in_memory, NOTE),
)

FLOODED = Variant("pumpguard_flooded", "pumpguard, $600 a day", "ours", 20, flooded, NOTE)
"""For floods alone: elsewhere nothing may be refused."""
