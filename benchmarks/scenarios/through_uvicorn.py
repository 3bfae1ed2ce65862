"""Requests per second through a real server, 64 connections, one worker."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field

from ..kit.client import WIDTH
from ..kit.load import Client
from ..kit.load import client as load_client
from ..kit.serve import Served, served
from ..kit.servers import Server, server
from ..kit.stats import Table, paired, spread
from ..kit.traffic import traffic
from ..systems.all import variants
from . import Bench

QUICK = ("pumpguard", "pumpguard_memory", "floor", "asgi_ratelimit_8", "limits_fixed_8")
FULL = (*QUICK, "throttled_8", "fastapi_limiter_8", "slowapi_8", "fastapi_guard")


@dataclass(slots=True)
class Seen:
    """What was seen of one variant, round by round."""

    rates: list[float] = field(default_factory=list)
    bares: list[float] = field(default_factory=list)
    cpus: list[float] = field(default_factory=list)
    admitted: list[float] = field(default_factory=list)
    p50s: list[float] = field(default_factory=list)
    p99s: list[float] = field(default_factory=list)
    sent: int = 0
    """Its place in the traffic: nobody asks twice until everybody has asked."""


async def run(bench: Bench) -> Table:
    """Each variant in turn, each right after the bare app; the idle ones wait."""
    names = [name for name in (QUICK if bench.quick else FULL) if name in variants()]
    seconds = 0.6 if bench.quick else 1.5
    seen = {name: Seen() for name in names}
    with ExitStack() as stack:
        store = stack.enter_context(server())
        client = stack.enter_context(load_client())
        bare = stack.enter_context(served("bare", store.url))
        systems = [stack.enter_context(served(name, store.url)) for name in names]
        for each in (bare, *systems):
            _load(client, each, store, seconds / 3, len(traffic()) // 2)
        for number in range(bench.pick(3, 6)):
            bench.say(f"round {number + 1}")
            for each in bench.rng.sample(systems, len(systems)):
                mine = seen[each.name]
                beside, _ = _load(client, bare, store, seconds, mine.sent)
                found, cpu = _load(client, each, store, seconds, mine.sent)
                mine.sent += found["requests"]
                mine.rates.append(found["per_second"])
                mine.bares.append(beside["per_second"])
                mine.cpus.append(cpu / max(1, found["requests"]) * 1e6)
                mine.admitted.append(found["admitted"])
                mine.p50s.append(found["p50"] * 1e3)
                mine.p99s.append(found["p99"] * 1e3)
    everything = [rate for each in seen.values() for rate in each.bares]
    return {
        "bare_per_second": spread(everything).table(),
        "systems": {name: _table(name, each) for name, each in seen.items()},
    }


def _load(
    client: Client, system: Served, store: Server, seconds: float, start: int
) -> tuple[Table, float]:
    """One load, from an empty store; and the CPU seconds that the server's process took."""
    store.clear()
    before = system.cpu()
    order = {"port": system.port, "connections": WIDTH, "seconds": seconds, "start": start}
    client.begin(order)
    found = client.result()
    return found, system.cpu() - before


def _table(name: str, seen: Seen) -> Table:
    return {
        "title": variants()[name].title,
        "per_second": spread(seen.rates).table(),
        "to_bare": spread(paired(seen.rates, seen.bares)).table(),
        "server_process_cpu_microseconds": spread(seen.cpus).table(),
        "p50_milliseconds": spread(seen.p50s).table(),
        "p99_milliseconds": spread(seen.p99s).table(),
        "admitted": round(min(seen.admitted), 5),
    }
