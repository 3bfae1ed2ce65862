"""What a decision costs the server: its script, against a naive one, and for banned subjects."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from importlib.resources import files
from itertools import islice
from typing import TypeAlias

from pumpguard import Attempt, Guard
from pumpguard.counters import Ban, Distinct, Neighbours, Spend, Window
from pumpguard.rules import RateLimit

from ..kit.client import WIDTH
from ..kit.servers import Server, server
from ..kit.stats import Table, paired, spread
from ..kit.traffic import VERIFY, Request, endless, traffic
from ..kit.wire import Wire, connect
from ..systems.ours import guard
from . import Bench
from .refused import BAN, STRIKES

SOURCES = 200

BANS = {"banned": BAN, "banned_unless_known": replace(BAN, except_known=True)}
"""The second one asks whether the number is known, so all is read."""

TWELVE = tuple(
    RateLimit(name=f"exact_{number}", by=by, limits="10/hour; 10 per 6 hour; 10/day")
    for number, by in enumerate(("phone", "network", ("phone", "network"), ("network", "country")))
)
"""Twelve exact windows over four subjects."""


async def run(bench: Bench) -> Table:
    """Microseconds of script time per decision, in alternating blocks on one server."""
    size = bench.pick(1_500, 3_000)
    found: dict[str, list[float]] = {name: [] for name in ("default", "naive", "twelve", *BANS)}
    with server() as store:
        async with AsyncExitStack() as stack:
            wire = await connect(store.url, stack)
            ours = guard(store.url, stack=stack)
            exact = guard(store.url, TWELVE, stack, name="twelve")
            naive = await Naive.load(wire, ours)
            banning = {
                name: {"name": name, "extra_rules": [ban], "verify": VERIFY}
                for name, ban in BANS.items()
            }
            for more in banning.values():
                await _ban(guard(store.url, stack=stack, **more))
            fresh = endless(traffic(), SOURCES)
            repeated = endless(_nine_times(traffic()))
            for number in range(bench.pick(4, 10)):
                bench.say(f"round {number + 1}")
                attempts = [_attempt(ours, each) for each in islice(fresh, size)]
                found["default"].append(await _timed(store, assess(ours, attempts), size))
                found["naive"].append(await _timed(store, naive.decide(attempts), size))
                attempts = [_attempt(exact, each) for each in islice(repeated, size)]
                found["twelve"].append(await _timed(store, assess(exact, attempts), size))
                # A guard of its own: another process, which has not heard of the bans yet.
                for name, more in banning.items():
                    stranger = guard(store.url, stack=stack, **more)
                    found[name].append(await _timed(store, _refused(stranger), SOURCES))
    return {
        "counters": naive.size,
        **{name: spread(times).table() for name, times in found.items()},
        "to_naive": spread(paired(found["default"], found["naive"])).table(),
    }


def _attempt(asked: Guard, request: Request) -> Attempt:
    return asked.attempt(request.phone, request.address)


def _nine_times(requests: Sequence[Request]) -> list[Request]:
    """Each request nine times, so that the logs of ten fill up."""
    return [each for each in requests for _ in range(9)]


async def assess(asked: Guard, attempts: Iterable[Attempt]) -> int:
    """Decide about all, 64 at a time; returns how many were admitted."""
    waiting = iter(attempts)

    async def work() -> int:
        return sum([(await asked.assess(attempt)).allowed for attempt in waiting])

    return sum(await asyncio.gather(*(work() for _ in range(WIDTH))))


async def _timed(store: Server, work: Awaitable[object], decisions: int) -> float:
    """Microseconds of script time per decision."""
    store.reset_stats()
    await work
    _, microseconds = store.script_time()
    return microseconds / decisions


async def _ban(asked: Guard) -> None:
    """Get addresses banned."""
    for source in traffic()[-SOURCES:]:
        await assess(asked, [_attempt(asked, source)] * STRIKES)


async def _refused(asked: Guard) -> None:
    """One attempt of each banned address, for a number that nobody has asked for."""
    for phone, source in zip(traffic()[:SOURCES], traffic()[-SOURCES:], strict=True):
        decision = await asked.assess(asked.attempt(phone.phone, source.address))
        assert [each.code for each in decision.findings] == ["BANNED"], decision.explain()


Limit: TypeAlias = Window | Distinct | Neighbours | Spend
LIMITS = (Window, Distinct, Neighbours, Spend)
"""What the naive script can keep in its way, a sum of dollars as a count. It has no tickets."""


class Naive:
    """The naive script, asked for the same counters as a guard."""

    def __init__(self, wire: Wire, sha: str, asked: Guard) -> None:
        self._wire = wire
        self._sha = sha
        self._guard = asked
        self.size = 0

    @classmethod
    async def load(cls, wire: Wire, asked: Guard) -> Naive:
        """Load the script."""
        lua = files("benchmarks").joinpath("naive.lua").read_text("utf-8")
        return cls(wire, (await wire.call("SCRIPT", "LOAD", lua)).decode(), asked)

    async def decide(self, attempts: Iterable[Attempt]) -> None:
        """Decide about all, 64 at a time."""
        waiting = iter(attempts)

        async def work() -> None:
            for attempt in waiting:
                command = self._command(attempt)
                await self._wire.call("EVALSHA", self._sha, *command)

        await asyncio.gather(*(work() for _ in range(WIDTH)))

    def _command(self, attempt: Attempt) -> list[str | int]:
        declared = (c for rule in self._guard.policy.chain for c in rule.counters(attempt))
        counters = [each for each in declared if attempt.subject(each.by) is not None]
        bans = [each for each in counters if isinstance(each, Ban)]
        others = [each for each in counters if isinstance(each, LIMITS)]
        self.size = len(bans) + len(others)
        sizes = [number for each in others for number in (each.limit, each.seconds)]
        keys = [_key(each, attempt) for each in (*bans, *others)]
        return [len(keys), *keys, len(bans), *sizes]


def _key(counter: Limit | Ban, attempt: Attempt) -> str:
    return f"naive:{counter.rule}:{counter.seconds}:{counter.by}:{attempt.subject(counter.by)}"
