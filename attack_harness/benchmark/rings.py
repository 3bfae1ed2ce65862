"""Innocent numbers around an attack: drawn ring by ring, ever wider blocks of numbers.

Ring k is all valid mobile numbers in blocks of 10^k that the attack touches, without those of the
narrower rings. A few people of each ring ask for a code when the attack is over; the share that is
refused, times the size of the ring, estimates how many innocent numbers the defence covers.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import phonenumbers

from ..figures import Table
from ..numbering import is_mobile
from .attacked import Attacked

WIDEST = 8
TRIES = 400


@dataclass(frozen=True)
class Ring:
    """One ring, with the numbers drawn from it."""

    digits: int
    numbers: float
    """Valid mobile numbers in it, as far as drawing tells."""
    drawn: tuple[str, ...]


def rings(
    attacked: Attacked, each: int, rng: random.Random, owned: frozenset[str]
) -> Iterator[Ring]:
    """All rings outside of the attacked blocks, from the narrowest on."""
    for digits in range(attacked.digits + 1, 1 + min(WIDEST, _longest(attacked))):
        inner, outer = attacked.prefixes(digits - 1), attacked.prefixes(digits)
        size = len(outer) * 10**digits - len(inner) * 10 ** (digits - 1)
        choices = sorted(outer)  # an order that every process agrees on
        tried, drawn = 0, set[str]()
        while size and tried < TRIES and len(drawn) < each:
            number = _draw(choices, digits, rng)
            if number[: len(number) - digits + 1] in inner:
                continue
            tried += 1
            if number not in owned and is_mobile(number):
                drawn.add(number)
        if drawn:
            yield Ring(digits, size * len(drawn) / tried, tuple(sorted(drawn)))


def _longest(attacked: Attacked) -> int:
    """Digits that can be left open without leaving the shortest numbers' countries."""
    shortest = min(attacked.phones, key=len, default="")
    if not shortest:
        return 0
    return len(str(phonenumbers.parse(shortest).national_number)) - 1


def _draw(prefixes: Sequence[str], digits: int, rng: random.Random) -> str:
    return rng.choice(prefixes) + f"{rng.randrange(10**digits):0{digits}d}"


def covered(attacked: Attacked, found: Sequence[tuple[Ring, Sequence[bool]]]) -> Table:
    """The estimate, from who of each ring was served."""
    innocent = 0.0
    told = []
    for ring, served in found:
        refused = len(served) - sum(served)
        innocent += ring.numbers * refused / len(served)
        told.append([ring.digits, round(ring.numbers), len(served), refused])
    return {
        "block_digits": attacked.digits,
        "block_numbers": attacked.size,
        "innocent_numbers": round(innocent),
        "per_blocked_number": round(innocent / attacked.size, 4) if attacked.size else 0.0,
        "rings": told,
    }
