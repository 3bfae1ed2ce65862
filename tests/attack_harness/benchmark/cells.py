"""Results made by hand, as if cells had been played."""

from __future__ import annotations

from typing import Any

from attack_harness.benchmark.cells import NO_ATTACK, OPEN, Cell
from attack_harness.benchmark.people import GROUPS

PRICES = ("appwrite-2025", "aws-2022")


def users(people: int = 100, unserved: tuple[int, ...] = (), challenged: int = 0) -> dict[str, Any]:
    group = {"people": people, "unserved": list(unserved), "challenged": challenged}
    return {name: dict(group) for name in GROUPS}


def result(
    spend: float = 100.0,
    *,
    messages: int = 10,
    delay: float | None = 2.0,
    profit: float = -1.0,
    unserved: tuple[int, ...] = (),
    challenged: int = 0,
) -> dict[str, Any]:
    return {
        "attack": {
            "title": "Flood (by hand)",
            "numbers": 500,
            "requests": 1_000,
            "countries": ["AZ"],
            "is_block": True,
            "starts_seconds": 0.0,
            "ends_seconds": 600.0,
            "spend": spend,
            "profit": profit,
            "leaves_after_seconds": 20.0,
            "before": {"messages": messages, "dollars": messages * 0.1, "delay_seconds": delay},
        },
        "recovery": {"recovery_minutes": 10},
        "covered": {"block_digits": 3, "per_blocked_number": 2.0},
        "users": users(unserved=unserved, challenged=challenged),
        "wall_seconds": 1.0,
        "code": "abc",
    }


def calm(unserved: tuple[int, ...] = ()) -> dict[str, Any]:
    return {"attack": None, "users": users(unserved=unserved), "wall_seconds": 1.0, "code": "abc"}


def results(seeds: int = 3) -> dict[Cell, dict[str, Any]]:
    """Two families and a calm day, behind nothing and behind pumpguard."""
    found: dict[Cell, dict[str, Any]] = {}
    for seed in range(1, seeds + 1):
        for prices in PRICES:
            for family, left in (("flash", 0.0), ("seed_simulator", 10.0 * seed)):
                open_ = result(messages=1_000, delay=None, profit=9.0, unserved=(7,))
                mine = result(left, messages=seed, unserved=(7, 8), challenged=2)
                found[Cell(family, seed, prices, OPEN)] = open_
                found[Cell(family, seed, prices, "pumpguard")] = mine
            for defence in (OPEN, "pumpguard"):
                found[Cell(NO_ATTACK, seed, prices, defence)] = calm()
    return found
