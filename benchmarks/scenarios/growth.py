"""How the cost grows with the number of rules."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

from pumpguard import PumpGuardMiddleware
from pumpguard.rules import RateLimit

from ..kit.client import WIDTH
from ..kit.rounds import System, additions, interleave, summary
from ..kit.servers import server
from ..kit.stats import Table, share_of, spread
from ..kit.traffic import endless, traffic
from ..systems.app import make_app
from ..systems.ours import guard
from . import Bench, set_up_bare

COUNTS = (1, 4, 8, 16)
SUBJECTS: tuple[tuple[Any, str], ...] = (
    ("phone", "10"),
    ("network", "10"),
    (("network", "country"), "10"),
    ("country", "1000000"),
)
"""What the rules count by in turn, and how many they admit."""


def rules(count: int) -> list[RateLimit]:
    """So many rules of one limit each, over four subjects and with windows of their own."""
    found = []
    for number in range(count):
        by, limit = SUBJECTS[number % len(SUBJECTS)]
        window = f"{limit} per {number + 5} minute"
        found.append(RateLimit(name=f"rule_{number}", by=by, limits=window))
    return found


async def run(bench: Bench) -> Table:
    """Policies of 1 to 16 rules beside the bare app."""
    with server() as store:
        async with AsyncExitStack() as stack:
            bare = await set_up_bare(stack)
            systems = [
                System(
                    str(count),
                    PumpGuardMiddleware(
                        make_app(),
                        guard=guard(store.url, rules(count), stack, name=f"rules-{count}"),
                    ),
                    endless(traffic(), len(traffic()) // len(COUNTS) * place),
                )
                for place, count in enumerate(COUNTS)
            ]
            await interleave(
                systems, bare, store, bench.rng,
                rounds=bench.pick(7, 16), seconds=0.08 if bench.quick else 0.15,
                widths=(WIDTH,), say=bench.say,
            )  # fmt: skip
    eight, sixteen = (systems[COUNTS.index(n)].pairs[WIDTH] for n in (8, 16))
    return {
        "rules": {system.name: summary(system.pairs[WIDTH]) for system in systems},
        "added_16_to_8": spread(share_of(additions(sixteen), additions(eight))).table(),
        "whole_16_to_8": spread(
            share_of([p.system.microseconds / p.bare.microseconds for p in sixteen],
                     [p.system.microseconds / p.bare.microseconds for p in eight])
        ).table(),
    }  # fmt: skip
