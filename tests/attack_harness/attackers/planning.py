"""A ground to plan attacks on: a thousand people who come all day long."""

from __future__ import annotations

import random
from functools import cache

from attack_harness.actors import draws
from attack_harness.attackers import ALL_FAMILIES, Attack, Ground
from attack_harness.clock import DAY
from attack_harness.numbering import mobile_number


@cache
def people() -> frozenset[str]:
    """Numbers that belong to real people."""
    rng = random.Random(1)
    return frozenset(mobile_number("GB", rng) for _ in range(1_000))


def ground(name: str, seed: int = 1, taken: frozenset[str] = frozenset()) -> Ground:
    """What a family of that name plans on."""
    arrivals = tuple(n * DAY / 5_000 for n in range(5_000))
    return Ground(draws(seed, name), people() | taken, people(), arrivals)


@cache
def planned(name: str) -> Attack:
    """The family's attack."""
    return ALL_FAMILIES[name].plan(ground(name))
