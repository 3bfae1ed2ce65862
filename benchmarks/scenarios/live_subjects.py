"""Whether a decision grows dearer when many subjects live in Redis."""

from __future__ import annotations

import time
from contextlib import AsyncExitStack
from itertools import cycle, islice

from pumpguard import Guard
from pumpguard.rules import RateLimit

from ..kit.servers import Server, server
from ..kit.stats import Table, paired, spread
from ..systems.ours import guard
from . import Bench
from .memory import attempts
from .script_time import assess

RULE = RateLimit(name="two_windows", by="phone", limits="1000/hour; 5000/day")
SMALL = 2_000
TOUCHED = 20_000
CHUNK = 20_000

COPY = """
-- Copies of live counters under new names of the same length: as many subjects as wanted, in the
-- store's own format, without a request for each.
for i = tonumber(ARGV[1]), tonumber(ARGV[2]) do
  local source = KEYS[i % #KEYS + 1]
  redis.call('COPY', source, string.sub(source, 1, -9) .. string.format('%08x', i))
end
"""


async def run(bench: Bench) -> Table:
    """The same decisions on servers with more and more live subjects, interleaved."""
    sizes = [SMALL, 100_000] if bench.quick else [SMALL, 100_000, 1_000_000]
    size, rounds = bench.pick(3_000, 6_000), bench.pick(7, 15)
    took: dict[int, list[float]] = {count: [] for count in sizes}
    async with AsyncExitStack() as stack:
        servers = {count: stack.enter_context(server()) for count in sizes}
        guards = {n: guard(s.url, [RULE], stack, name="live") for n, s in servers.items()}
        for count in sizes:
            bench.say(f"filling {count:,} subjects")
            await fill(servers[count], guards[count], count)
        pools = {n: cycle(attempts(min(n, TOUCHED))) for n in sizes}
        for number in range(rounds):
            bench.say(f"round {number + 1} of {rounds}")
            for count in bench.rng.sample(sizes, len(sizes)):
                waiting = list(islice(pools[count], size))
                began = time.perf_counter()
                await assess(guards[count], waiting)
                took[count].append((time.perf_counter() - began) / size * 1e6)
        keys = {str(n): servers[n].keys() for n in sizes}
    return {
        "microseconds": {str(n): spread(times).table() for n, times in took.items()},
        "to_small": {
            str(n): spread(paired(times, took[SMALL])).table() for n, times in took.items()
        },
        "keys": {name: found[0] for name, found in keys.items()},
        "keys_without_ttl": sum(found[1] for found in keys.values()),
    }


async def fill(store: Server, asked: Guard, count: int) -> None:
    """Subjects of which real requests made the first, spread among the copies of the others."""
    real = min(count, TOUCHED)
    made, batch = 0, max(1, real // 10)
    while made < real:
        await assess(asked, attempts(min(batch, real - made), made))
        made += min(batch, real - made)
        _copy(store, made * (count - real) // real, (count - real) // 10)


def _copy(store: Server, until: int, count: int) -> None:
    names = list(islice(store.admin.scan_iter(count=1000), 500))
    for first in range(until - count, until, CHUNK):
        last = min(first + CHUNK, until) - 1
        # Two keys per subject, or one: what a subject takes, its copies take too.
        store.admin.eval(COPY, len(names), *names, first, last)
