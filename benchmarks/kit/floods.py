"""The requests of five kinds of flood, and of the users beside them; the same on every run."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache

from attack_harness.addresses import residential
from attack_harness.numbering import mobile_ranges

from .traffic import Request, endless, request, traffic

KINDS = ("address", "addresses", "block", "country", "banned")
"""One address; 10,000 addresses that walk a country's numbers; a block of 1,000 numbers and a
country from ever new addresses; a crowd of addresses that are banned."""

USERS = "users"

ATTACKED = "AZ"
SIZE = 30_000
ADDRESSES = {"address": 1, "addresses": 10_000, "block": SIZE, "country": SIZE, "banned": 50}


def requests_of(kind: str, start: int = 0) -> Iterator[Request]:
    """The requests of a kind, in a circle, from a place of one's own."""
    return endless(traffic() if kind == USERS else flood(kind), start)


@cache
def flood(kind: str) -> tuple[Request, ...]:
    """So many requests of one kind."""
    rng = random.Random(kind)
    addresses = [residential("GB", rng) for _ in range(ADDRESSES[kind])]
    chosen = max(mobile_ranges(ATTACKED), key=lambda each: each.size)
    if kind == "block":
        first = rng.randrange(chosen.size // 1000) * 1000
        phones = [chosen.number(first + rng.randrange(1000)) for _ in range(SIZE)]
    else:
        phones = [chosen.number(rng.randrange(chosen.size)) for _ in range(SIZE)]
    return tuple(request(phone, addresses[n % len(addresses)]) for n, phone in enumerate(phones))
