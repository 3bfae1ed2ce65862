"""Whether many processes together ever admit more than a limit.

Each process notes when it asked and when it was answered; the server decided in between. Messages
whose whole spans fit into less than a window were certainly admitted within it, so any excess that
is counted here is real.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from contextlib import AsyncExitStack
from multiprocessing import get_context
from typing import TypeAlias

import uvloop

from pumpguard import Attempt
from pumpguard.attempt import Client, Phone
from pumpguard.rules import RateLimit

from ..kit.client import WIDTH
from ..kit.servers import server
from ..kit.stats import Table
from ..systems.ours import guard
from . import Bench

PROCESSES = 8
PHONES = 60
NETWORKS = 24
BEAT = 0.04
"""All processes put 64 attempts each at the same moments, so many seconds apart."""

LIMITS: dict[str, tuple[tuple[int, int], ...]] = {
    "phone": ((3, 1), (8, 4), (200, 3600)),
    "network": ((9, 1), (15, 2), (600, 3600)),
    "calling_code": ((110, 1), (460, 4), (20_000, 3600)),
}
"""Exact windows and sliced ones, short enough that their edges pass many times."""

Span: TypeAlias = tuple[float, float]
Admitted: TypeAlias = list[tuple[str, str, float, float]]


async def run(bench: Bench) -> Table:
    """Eight processes with 64 attempts in flight each, for many seeds."""
    seeds, each = bench.pick(2, 20), bench.pick(3_200, 6_250)
    attempts = admitted = excess = reached = 0
    context = get_context("spawn")
    with server() as store, ProcessPoolExecutor(PROCESSES, mp_context=context) as pool:
        loop = asyncio.get_running_loop()
        for seed in range(seeds):
            bench.say(f"seed {seed + 1} of {seeds}")
            begin = time.time() + 0.3
            parts = await asyncio.gather(
                *(
                    loop.run_in_executor(pool, attack, store.url, seed, place, each, begin)
                    for place in range(PROCESSES)
                )
            )
            together = [one for part in parts for one in part]
            attempts += each * PROCESSES
            admitted += len(together)
            full = fullest_windows(together)
            excess += sum(max(0, found - limit) for found, limit in full)
            reached += sum(found >= limit for found, limit in full)
    return {
        "attempts": attempts,
        "admitted": admitted,
        "seeds": seeds,
        "limits_reached": reached,
        "over_admitted": excess,
    }


def attack(url: str, seed: int, place: int, count: int, begin: float) -> Admitted:
    """One process's attempts; returns what was admitted, and when."""
    return uvloop.run(_attack(url, seed, place, count, begin))


async def _attack(url: str, seed: int, place: int, count: int, begin: float) -> Admitted:
    rng = random.Random(f"{seed}:{place}")
    rules = [
        RateLimit(name=by, by=by, limits="; ".join(f"{n} per {s} second" for n, s in limits))
        for by, limits in LIMITS.items()
    ]
    found: Admitted = []
    attempts = [_attempt(rng) for _ in range(count)]
    async with AsyncExitStack() as stack:
        # Refusing while the store is away: what is measured is the store, not the stand-in.
        asked = guard(
            url, rules, stack, name=f"over-{seed}", deadline=30.0, on_store_failure="closed"
        )

        async def ask(attempt: Attempt) -> None:
            began = time.monotonic()
            if (await asked.assess(attempt)).allowed:
                network = attempt.client.network or ""
                found.append((attempt.phone.e164, network, began, time.monotonic()))

        for beat, first in enumerate(range(0, count, WIDTH)):
            await asyncio.sleep(max(0.0, begin + beat * BEAT - time.time()))
            await asyncio.gather(*map(ask, attempts[first : first + WIDTH]))
    return found


def _attempt(rng: random.Random) -> Attempt:
    phone = f"+4474000000{rng.randrange(PHONES):02d}"
    address = f"198.51.100.{rng.randrange(NETWORKS)}"
    return Attempt(Phone(phone, "GB", 44, "mobile"), Client(address, address))


def fullest_windows(admitted: Admitted) -> list[tuple[int, int]]:
    """For every subject and limit, the most that a window held, and the limit."""
    spans: dict[tuple[str, str], list[Span]] = defaultdict(list)
    for phone, network, began, ended in admitted:
        for by, subject in (("phone", phone), ("network", network), ("calling_code", "44")):
            spans[by, subject].append((began, ended))
    return [
        (fullest(found, seconds), limit)
        for (by, _), found in spans.items()
        for limit, seconds in LIMITS[by]
    ]


def fullest(spans: list[Span], seconds: float) -> int:
    """How many of these spans certainly fit into one window of so many seconds."""
    spans = sorted(spans)
    most = 0
    for place, (opened, _) in enumerate(spans):
        inside = 0
        for began, ended in spans[place:]:
            if began >= opened + seconds:
                break
            inside += ended < opened + seconds
        most = max(most, inside)
    return most
