"""A bought market: for a day an attacker enters codes as a country's people would, then no more.

What a country that is not home may owe grows with what was verified there. He who owns numbers all
over such a country can make it grow; what that brings him the next day is what he gets beyond an
attacker who has verified nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from .. import addresses
from ..actors import draws
from ..attackers.base import Ground, Shot
from ..attackers.verifying import VerifyingAttack
from ..benchmark.profit import profit_entry
from ..clock import DAY, HOUR
from ..figures import Table, money
from ..numbering import mobile_number
from .stage import on_stage

BOUGHT = (0, 200, 1_000, 4_000)
"""Messages that he verifies on the first day."""

COUNTRY = "PL"
WAKES, SLEEPS = 7 * HOUR, 23 * HOUR
AWAKE = (SLEEPS - WAKES) / HOUR
"""Hours. The longer the flood, the less is left of what was bought: unpaid debts lose it."""

EVERY = 10.0
"""Seconds between two requests of the flood: at one a second, what is refused costs him more."""


async def study(seed: int, hours: float, bought: Sequence[int] = BOUGHT) -> list[Table]:
    """The same flood of so many hours after days on which he has verified more and more."""
    return [await _one(seed, hours, count) for count in bought]


async def _one(seed: int, hours: float, bought: int) -> Table:
    ground = Ground(draws(seed, "market"))
    day = _attack(ground, "market", WAKES, SLEEPS - WAKES, bought, verified=1.0)
    count = round(hours * HOUR / EVERY)
    flood = _attack(ground, "flood", DAY + WAKES, hours * HOUR, count, verified=0.0)
    played = await on_stage(chain(day.actors(), flood.actors()), seed=seed)
    asked = [each for each in played.log.exchanges if each.side == flood.name]
    earned = profit_entry(flood, asked, played.paid(flood))["profit"]
    return {
        "bought": bought,
        "verified": money(played.spend(day)),
        "unverified_an_hour": money(played.spend(flood) / hours),
        "profit_an_hour": money(earned / hours),
    }


def _attack(
    ground: Ground, name: str, starts: float, seconds: float, count: int, *, verified: float
) -> VerifyingAttack:
    """Numbers all over the country, each once, from fresh addresses there; proofs are bought."""
    rng = ground.rng
    shots = tuple(
        Shot(
            round(seconds * n / max(1, count), 3),
            mobile_number(COUNTRY, rng),
            addresses.residential(COUNTRY, rng),
        )
        for n in range(count)
    )
    return VerifyingAttack(
        name, name, starts, shots, buys_solutions=True, seed=rng.randrange(2**32), verified=verified
    )
