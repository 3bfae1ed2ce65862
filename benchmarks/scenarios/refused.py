"""What an attacker costs: refused as known to be full, and by a known ban."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AsyncExitStack
from itertools import islice

from pumpguard import PumpGuardMiddleware
from pumpguard.rules import SlidingBan

from ..kit.client import WIDTH, concurrent
from ..kit.floods import requests_of
from ..kit.rounds import System, interleave, summary
from ..kit.servers import server
from ..kit.stats import Table
from ..kit.traffic import Request, endless, request, traffic
from ..systems.app import make_app
from ..systems.ours import guard
from . import Bench, set_up_bare

BANNED = 16
STRIKES = 12
"""Requests from each of these addresses for one number: more than the ban takes."""

BAN = SlidingBan(name="ban", strikes="10/hour", after=("phone_limit",), action="block")
"""The default policy's bans only ask, and nobody without a challenge: this one refuses."""


async def run(bench: Bench) -> Table:
    """Both kinds of refusal beside the bare app's own answer to a user."""
    with server() as store:
        async with AsyncExitStack() as stack:
            bare = await set_up_bare(stack)
            full = guard(store.url, stack=stack, verify="/otp/verify")
            banning = guard(store.url, stack=stack, name="bans", extra_rules=[BAN])
            for each in (full, banning):
                await each.check()
            systems = [
                System(
                    "refused", PumpGuardMiddleware(make_app(), guard=full), requests_of("block")
                ),
                System("banned", PumpGuardMiddleware(make_app(), guard=banning), _banned()),
            ]
            await concurrent(systems[0].app, islice(systems[0].requests, 500))
            await concurrent(systems[1].app, _strikes())
            await interleave(
                systems, bare, store, bench.rng,
                rounds=bench.pick(7, 20), seconds=0.4, widths=(WIDTH,), say=bench.say,
            )  # fmt: skip
            return {system.name: summary(system.pairs[WIDTH]) for system in systems}


def _strikes() -> Iterator[Request]:
    """What gets a few addresses banned."""
    for source in traffic()[-BANNED:]:
        yield from [request(traffic()[0].phone, source.address)] * STRIKES


def _banned() -> Iterator[Request]:
    """Many phones asked for from each of these, which take turns."""
    sources = traffic()[-BANNED:]
    return (
        request(each.phone, sources[n % BANNED].address)
        for n, each in enumerate(endless(traffic()[1_000:]))
    )
