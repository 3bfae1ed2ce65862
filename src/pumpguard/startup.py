"""What can be known of a guard's setting when it is made: refused if it is wrong, or said."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path
from weakref import WeakKeyDictionary

from pumpguard.config import require, require_parts
from pumpguard.money.prices import OLD
from pumpguard.notices import Notices
from pumpguard.policy import Policy
from pumpguard.rules.assembly import warn_without_defaults
from pumpguard.rules.challenge import warn_missing_challenge

LATEST = 1e11
"""Unix seconds of the year 5138; in milliseconds it was 1973."""

MEMORY = "memory://"

NO_KEY, MONITORS = "PG006", "PG120"

_guards: WeakKeyDictionary[object, tuple[str, str | int, int]] = WeakKeyDictionary()
"""The guards of this process, by what they count for."""


def checked(policy: Policy | str | Path, store: object, clock: object) -> Policy:
    """The policy, read if its path was given. Raises `PolicyError` for that, for what is no store,
    and for a clock that gives no Unix seconds."""
    if not isinstance(policy, Policy):
        require(isinstance(policy, str | Path), "policy", "a Policy, or a file's path", policy)
        policy = Policy.from_toml(policy)
    if not isinstance(store, str):
        expected = "a URL such as 'redis://localhost:6379', or a store"
        require(store is not None, "store", expected, store)  # an environment variable is not set
        require_parts(store=store)
    if clock is not None:
        now = clock() if callable(clock) else clock
        right = isinstance(now, int | float) and 0 <= now < LATEST
        require(right, "clock", "a function that gives Unix seconds, as time.time does", now)
    return policy


def say_what_is_missing(
    guard: object,
    policy: Policy,
    store: object,
    notices: Notices,
    *,
    has_challenge: bool,
    simulated: bool,
) -> None:
    """Log what an operator will want to set, as far as it can be known beforehand, and if a guard
    before this one has done so."""
    if _has_been_said(guard, policy, store, notices):
        return
    if policy.mode == "monitor":
        text = "mode='monitor': everything is judged and recorded, and nothing is refused"
        notices.say(MONITORS, policy.name, text)
    warn_without_defaults(policy.rules, policy.chain)
    if not has_challenge:
        by_score = policy.risk is not None and policy.risk.asks_for_proof
        warn_missing_challenge(policy.chain, by_score or policy.escalation is not None)
    if simulated or not isinstance(store, str):
        return
    prices = policy.price_table
    if (days := prices.age() or 0) > OLD:
        text = "prices=%r are of %s, %d days ago: every bound in dollars may be too low. Give your "
        notices.say("PG099", "prices", f"{text}provider's list: prices='rates.csv'",
                    prices.name, prices.date, days)  # fmt: skip
    workers = _workers(policy.workers)
    if store.startswith(MEMORY):
        if workers != 1:
            text = "memory:// in one of several processes: each has limits of its own, and an "
            text += "attacker gets them all. Give all of them one store='redis://…'"
            notices.say("PG005", "memory", text)
        return
    if workers is not None and workers > policy.workers:
        text = "workers=%d, and there are %d: while the store is away, each admits its share of "
        notices.say("PG007", "workers", f"{text}every limit, which is then too much",
                    policy.workers, workers)  # fmt: skip
    if not policy.secret:
        text = "no secret=: whoever reads the store can find out the numbers in it, and tokens of "
        notices.say(NO_KEY, "secret", f"{text}decisions hold in this process alone")


def _has_been_said(guard: object, policy: Policy, store: object, notices: Notices) -> bool:
    """Whether another guard of this process has the same policy and store. Of two guards for one
    policy's name in one store, it is said at the second."""
    named = f"{policy.name} {policy.use}"
    mine = (named, store if isinstance(store, str) else id(store), id(policy))
    others = [each for each in _guards.values() if each[:2] == mine[:2]]
    _guards[guard] = mine
    if len(others) == 1:
        # Without what stands behind the scheme, which may be a password.
        shown = f"{store.partition('://')[0]}://" if isinstance(store, str) else "one store"
        notices.say(
            "PG078", policy.name,
            "a second guard of the policy %r over %s in this process: over memory:// each has "
            "limits of its own. Make one Guard and pass guard= (in Litestar, build the "
            "middleware once: DefineMiddleware builds it anew for every route)",
            policy.name, shown,
        )  # fmt: skip
    return mine in others


def _workers(told: int) -> int | None:
    """How many processes serve the app, as far as the policy and the server say; ``None`` for some
    other number than one."""
    environment = os.environ.get("WEB_CONCURRENCY", "")  # of uvicorn, gunicorn, hypercorn
    found = max(told, int(environment) if environment.isdecimal() else 1)
    if found == 1 and multiprocessing.parent_process() is not None:  # as uvicorn starts workers
        return None
    return found
