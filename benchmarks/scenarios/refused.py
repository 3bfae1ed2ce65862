"""What an attacker costs: refused by Redis, and banned."""

from __future__ import annotations

from contextlib import AsyncExitStack

from ..kit.client import WIDTH, concurrent
from ..kit.rounds import System, interleave, summary
from ..kit.servers import server
from ..kit.stats import Table
from ..kit.traffic import Request, endless, request, traffic
from ..systems import PLENTY
from ..systems.ours import on_redis
from . import Bench, set_up_bare

PHONES = 64
BANNED = 16
BURST = 60
"""More than 50 requests in five minutes from one address: what the default policy bans."""


async def run(bench: Bench) -> Table:
    """Both kinds of refusal beside the bare app's own answer to a user."""
    with server() as store:
        async with AsyncExitStack() as stack:
            bare = await set_up_bare(stack)
            app = await on_redis(store.url, stack, PLENTY)
            known = traffic()[:PHONES]
            await concurrent(app, known)
            again = [
                request(known[n % PHONES].phone, each.address)
                for n, each in enumerate(traffic()[PHONES:])
            ]
            attacks = [request(a.phone, b.address) for a, b in _bursts()]
            await concurrent(app, attacks)
            systems = [
                System("refused", app, endless(again)),
                System("banned", app, endless(attacks)),
            ]
            await interleave(
                systems, bare, store, bench.rng,
                rounds=bench.pick(7, 20), seconds=0.08, widths=(WIDTH,), say=bench.say,
            )  # fmt: skip
            return {system.name: summary(system.pairs[WIDTH]) for system in systems}


def _bursts() -> list[tuple[Request, Request]]:
    """Many phones asked for from each of a few addresses, the addresses taking turns."""
    phones = iter(traffic())
    sources = traffic()[-BANNED:]
    return [(next(phones), source) for _ in range(BURST) for source in sources]
