"""What a request costs in process: one after the other, and 64 at once."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

from ..kit.client import WIDTH
from ..kit.rounds import Pair, System, additions, interleave, summary
from ..kit.servers import server
from ..kit.stats import Table, share_of, spread
from ..systems.all import variants
from . import Bench, set_up, set_up_bare

OURS = "pumpguard"
FLOOR = "floor"


async def run(bench: Bench) -> Table:
    """Every variant beside the bare app."""
    known = [each for each in variants().values() if each.kind != "bare"]
    with server() as store:
        async with AsyncExitStack() as stack:
            bare = await set_up_bare(stack)
            systems = await set_up(known, store.url, stack)
            await interleave(
                systems, bare, store, bench.rng,
                rounds=bench.pick(4, 10), seconds=0.06 if bench.quick else 0.15, say=bench.say,
            )  # fmt: skip
    by_name = {system.name: system for system in systems}
    return {
        each.name: {
            "title": each.title,
            "kind": each.kind,
            "family": each.family,
            "limits": each.limits,
            "note": " ".join(each.note.split()),
            **{
                mode: _figures(by_name, each.name, width)
                for mode, width in (("sequential", 1), ("concurrent", WIDTH))
            },
        }
        for each in known
    } | {"bare": _bare(systems)}


def _figures(systems: dict[str, System], name: str, width: int) -> Table:
    mine = additions(systems[name].pairs[width])
    found: dict[str, Any] = summary(systems[name].pairs[width])
    for other in {FLOOR, OURS} & systems.keys():
        theirs = additions(systems[other].pairs[width])
        # How many times what they add: only rounds in which both can be told from noise.
        shares = share_of(mine, theirs)
        found[f"added_to_{other}"] = spread(shares).table() if shares else None
    ours = additions(systems[OURS].pairs[width])
    shares = share_of(ours, mine)
    found["pumpguard_share"] = spread(shares).table() if shares else None
    return found


def _bare(systems: list[System]) -> Table:
    return {
        "title": "bare FastAPI",
        "kind": "bare",
        "sequential": _bare_at(systems, 1),
        "concurrent": _bare_at(systems, WIDTH),
    }


def _bare_at(systems: list[System], width: int) -> Table:
    pairs: list[Pair] = [pair for system in systems for pair in system.pairs[width]]
    return {
        "microseconds": spread(pair.bare.microseconds for pair in pairs).table(),
        "python_cpu_microseconds": spread(pair.bare.cpu_microseconds for pair in pairs).table(),
        "p50_microseconds": spread(pair.bare.latency(0.5) for pair in pairs).table(),
        "p99_microseconds": spread(pair.bare.latency(0.99) for pair in pairs).table(),
    }
