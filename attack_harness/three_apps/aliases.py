"""Many messages in one request: the aliases of a GraphQL document."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .. import addresses
from ..attackers import Attack, Ground, Shot
from ..clock import HOUR
from ..numbering import largest_carrier, mobile_blocks

FIELD = "aliases"
"""In a shot's ``typed``: the numbers beside its own."""


@dataclass(frozen=True)
class AliasFlood:
    """Documents with so many aliases of the field that sends, each with a number in its argument.

    Every second has no variables at all, so that the guard reads no number.
    """

    country: str = "UZ"
    requests: int = 60
    numbers: int = 25
    seconds: float = 600.0
    starts: float = 9 * HOUR
    name: str = "alias_flood"

    def plan(self, ground: Ground) -> Attack:
        """Numbers of rented blocks, each request from another home."""
        blocks = mobile_blocks(largest_carrier(self.country), 2, 1_000, ground.rng)
        numbers = ground.rentable([number for block in blocks for number in block])
        ground.rng.shuffle(numbers)
        shots = []
        for n in range(self.requests):
            first, *more = (numbers.pop() for _ in range(self.numbers))
            origin = addresses.residential(self.country, ground.rng)
            typed = {"phone": first, FIELD: more, "inline": n % 2 == 1}
            shots.append(Shot(n * self.seconds / self.requests, first, origin, typed))
        return Attack(self.name, "Alias flood", self.starts, tuple(shots), buys_solutions=True)

    def shortened(self, factor: float) -> AliasFlood:
        """A part of the requests."""
        return replace(self, requests=max(2, round(self.requests * factor)))
