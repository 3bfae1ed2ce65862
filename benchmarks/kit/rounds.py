"""Interleaved rounds: every system in random order, each right beside a run of the bare app."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeAlias

from starlette.types import ASGIApp

from .client import WIDTH, Block, concurrent, fitting, sequential
from .servers import Reading, Server
from .stats import Table, added, paired, spread
from .traffic import Request

Say: TypeAlias = Callable[[str], None]


@dataclass(slots=True)
class System:
    """An app under measurement, with its own place in the traffic and what was measured."""

    name: str
    app: ASGIApp
    requests: Iterator[Request]
    sizes: dict[int, int] = field(default_factory=dict)
    pairs: dict[int, list[Pair]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pair:
    """A system and the bare app in the same round, and what the server did for the system."""

    system: Block
    bare: Block
    server: Reading


async def interleave(
    systems: Sequence[System],
    bare: System,
    server: Server,
    rng: random.Random,
    *,
    rounds: int,
    seconds: float,
    widths: Sequence[int] = (1, WIDTH),
    say: Say = lambda _: None,
) -> None:
    """Measure all systems ``rounds`` times; each keeps its pairs by width."""
    for width in widths:
        for system in (bare, *systems):
            system.sizes[width] = await fitting(system.app, system.requests, seconds, width)
    for number in range(rounds):
        say(f"round {number + 1} of {rounds}")
        order = [(system, width) for system in systems for width in widths]
        rng.shuffle(order)
        for system, width in order:
            beside = await _block(bare, width)
            before = server.reading()
            block = await _block(system, width)
            pair = Pair(block, beside, server.reading() - before)
            system.pairs.setdefault(width, []).append(pair)


async def _block(system: System, width: int) -> Block:
    requests = islice(system.requests, system.sizes[width])
    run: Callable[[], Awaitable[Block]] = (
        (lambda: sequential(system.app, requests))
        if width == 1
        else (lambda: concurrent(system.app, requests, width))
    )
    return await run()


def walls(pairs: Sequence[Pair]) -> list[float]:
    """Microseconds per request, round by round."""
    return [pair.system.microseconds for pair in pairs]


def bares(pairs: Sequence[Pair]) -> list[float]:
    """The bare app's microseconds per request, round by round."""
    return [pair.bare.microseconds for pair in pairs]


def additions(pairs: Sequence[Pair]) -> list[float]:
    """What the system adds, in units of the bare app, round by round."""
    return added(walls(pairs), bares(pairs))


def summary(pairs: Sequence[Pair]) -> Table:
    """All that one system took at one width."""
    each = [pair.system for pair in pairs]
    asked = sum(block.requests for block in each)
    per_request = [
        (p.server.cpu * 1e6 / p.system.requests, p.server.reads / p.system.requests,
         p.server.commands / p.system.requests)
        for p in pairs
    ]  # fmt: skip
    return {
        "microseconds": spread(walls(pairs)).table(),
        "added_microseconds": spread(
            a - b for a, b in zip(walls(pairs), bares(pairs), strict=True)
        ).table(),
        "ratio_to_bare": spread(paired(walls(pairs), bares(pairs))).table(),
        "added_to_bare": spread(additions(pairs)).table(),
        "cpu_ratio_to_bare": spread(
            pair.system.cpu_microseconds / pair.bare.cpu_microseconds for pair in pairs
        ).table(),
        "python_cpu_microseconds": spread(block.cpu_microseconds for block in each).table(),
        "server_cpu_microseconds": spread(cpu for cpu, _, _ in per_request).table(),
        "server_reads": spread(reads for _, reads, _ in per_request).table(),
        "server_commands": spread(commands for _, _, commands in per_request).table(),
        "p50_microseconds": spread(block.latency(0.5) for block in each).table(),
        "p99_microseconds": spread(block.latency(0.99) for block in each).table(),
        "admitted": round(sum(block.statuses[202] for block in each) / asked, 5),
        "requests": asked,
    }
