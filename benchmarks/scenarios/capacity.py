"""How many decisions one core of Redis holds, and how many trips each takes."""

from __future__ import annotations

from contextlib import AsyncExitStack
from itertools import islice

from ..kit.servers import server
from ..kit.stats import Table, spread
from ..kit.traffic import endless, traffic
from ..systems.ours import guard
from . import Bench
from .script_time import assess

TRIPS = 300


async def run(bench: Bench) -> Table:
    """Admitted decisions per second of the server's CPU time, all of its work included."""
    size, rounds = bench.pick(2_000, 6_000), bench.pick(3, 7)
    per_core: list[float] = []
    admitted = 0
    with server() as store:
        async with AsyncExitStack() as stack:
            asked = guard(store.url, stack=stack)
            requests = endless(traffic())
            for number in range(rounds):
                bench.say(f"round {number + 1} of {rounds}")
                attempts = [asked.attempt(r.phone, r.address) for r in islice(requests, size)]
                before = store.reading()
                passed = await assess(asked, attempts)
                per_core.append(passed / (store.reading() - before).cpu)
                admitted += passed
            before = store.reading()
            for each in islice(requests, TRIPS):
                await asked.assess(asked.attempt(each.phone, each.address))
            trips = (store.reading() - before).reads / TRIPS
            keys, eternal = store.keys()
    return {
        "admitted_per_core_second": spread(per_core).table(),
        "admitted": round(admitted / (size * rounds), 5),
        "trips_per_request": round(trips, 3),
        "keys": keys,
        "keys_without_ttl": eternal,
    }
