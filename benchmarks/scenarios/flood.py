"""Users in a flood: what they notice, what a refused request costs, and what a neighbour notices.

Two workers behind one Redis, users at 20 a second, and floods of five kinds beside them. Another
tenant of that Redis asks it for a key 200 times a second. The machine is everybody's: with two
cores, users, flood, workers and Redis take from each other, in every variant alike.
"""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import Any

import redis

from ..kit import paced
from ..kit.floods import KINDS, USERS
from ..kit.load import Client, client
from ..kit.paced import Order
from ..kit.serve import Served, served
from ..kit.servers import Server, server
from ..kit.stats import Table, quantile
from ..systems.all import named, variants
from ..systems.ours import FLOODED
from . import Bench

SYSTEMS = (FLOODED.name, "asgi_ratelimit_1", "limits_fixed_1", "fastapi_guard")
"""Ours with a budget of $600, and peers with what they document against floods."""

PER_ADDRESS = 15
"""What a peer lets through for an address and hour."""

WORKERS = 2
USERS_A_SECOND = 20.0
WARM_UP = 2.0
"""Seconds of a flood before it is measured: what is full has been filled."""

CROWDED = 256
"""Connections of a flood to each worker: a refusal may wait 0.1 s to be told with others."""

PROBE_EVERY = 0.005


@dataclass(frozen=True, slots=True)
class Place:
    """Where one round is played."""

    store: Server
    workers: list[Served]
    people: Client
    crowd: Client

    @property
    def ports(self) -> list[int]:
        return [each.port for each in self.workers]

    def cpu(self) -> float:
        """CPU seconds of all workers."""
        return sum(each.cpu() for each in self.workers)


class Neighbour:
    """Another tenant of the same Redis."""

    def __init__(self, port: int) -> None:
        self._redis: Any = redis.Redis(port=port)
        self._stop = threading.Event()
        self._latencies: list[float] = []
        self._thread = threading.Thread(target=self._ask, daemon=True)

    def __enter__(self) -> Neighbour:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        self._thread.join()
        self._redis.close()

    @property
    def commands(self) -> int:
        """How many it has sent."""
        return len(self._latencies)

    def p99(self) -> float:
        """Its 99th percentile in seconds."""
        return quantile(self._latencies, 0.99)

    def _ask(self) -> None:
        while not self._stop.is_set():
            began = time.perf_counter()
            self._redis.get("neighbour")
            self._latencies.append(time.perf_counter() - began)
            time.sleep(PROBE_EVERY)


async def run(bench: Bench) -> Table:
    """Each system and kind at each rate, from an empty store."""
    rates = [1_000.0] if bench.quick else [1_000.0, 3_000.0]
    kinds = ("address", "block") if bench.quick else KINDS
    seconds = 3.0 if bench.quick else 6.0
    found: Table = {}
    for name in SYSTEMS[:1] if bench.quick else SYSTEMS:
        if name != FLOODED.name and name not in variants():
            continue
        with ExitStack() as stack:
            store = stack.enter_context(server())
            workers = [
                stack.enter_context(served(name, store.url, PER_ADDRESS)) for _ in range(WORKERS)
            ]
            place = Place(
                store,
                workers,
                stack.enter_context(client(paced.__name__)),
                stack.enter_context(client(paced.__name__)),
            )
            mine: Table = {"title": named(name).title}
            mine["quiet"] = _round(place, None, 0, seconds)
            for kind in kinds:
                for rate in rates:
                    bench.say(f"{name}: {kind} at {rate:.0f}/s")
                    mine[f"{kind} {rate:.0f}/s"] = _beside(
                        _round(place, kind, rate, seconds), mine["quiet"]
                    )
            found[name] = mine
    return found


def _round(place: Place, kind: str | None, rate: float, seconds: float) -> Table:
    """Users for so many seconds, in a flood that has begun before."""
    place.store.clear()
    order = Order(place.ports, USERS, USERS_A_SECOND, seconds, 16)
    warm = Order(place.ports, USERS, USERS_A_SECOND, 1.0, 16, start=10_000)
    place.people.begin(asdict(warm))
    place.people.result()  # a warm-up: connections, scripts, caches
    if kind is not None:
        whole = Order(place.ports, kind, rate, WARM_UP + seconds, CROWDED)
        place.crowd.begin(asdict(whole))
        time.sleep(WARM_UP)
    place.store.reset_stats()
    with Neighbour(place.store.port) as neighbour:
        before, cpu = place.store.reading(), place.cpu()
        place.people.begin(asdict(order))
        users = place.people.result()
        took, after = place.cpu() - cpu, place.store.reading()
        calls, script = place.store.script_time()
    crowd = place.crowd.result() if kind is not None else None
    return {
        "users": users["asked"],
        "served": users["statuses"].get("202", 0),
        "p50_ms": round(1e3 * users["p50"], 2),
        "p99_ms": round(1e3 * users["p99"], 2),
        "neighbour_p99_ms": round(1e3 * neighbour.p99(), 2),
        "cpu_seconds": round(took, 3),
        "commands": (after - before).commands - neighbour.commands,
        "script_calls": calls,
        "script_microseconds": script,
        "seconds": seconds,
        "flood": crowd,
    }


def _beside(flooded: Table, quiet: Table) -> Table:
    """With what each refused request of the flood has cost, over what the users alone cost."""
    crowd = flooded["flood"]
    share = flooded["seconds"] / (flooded["seconds"] + WARM_UP)
    refused = share * sum(
        count for status, count in crowd["statuses"].items() if status not in ("202", "500")
    )
    if refused:
        for name in ("cpu_seconds", "commands", "script_calls", "script_microseconds"):
            flooded[f"{name}_per_refused"] = round((flooded[name] - quiet[name]) / refused, 9)
    flooded["refused"] = quiet["served"] - flooded["served"]
    flooded["p99_to_quiet"] = round(flooded["p99_ms"] / quiet["p99_ms"], 2)
    return flooded
