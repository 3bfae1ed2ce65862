"""Thousands of home connections, one or two requests each, that pay for solved challenges."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .. import addresses
from ..clock import HOUR
from ..numbering import largest_carrier, mobile_blocks
from .base import Attack, Ground, Shot, in_rounds


@dataclass(frozen=True)
class ResidentialRotation:
    """Shuffled numbers of rented blocks, from residential addresses of the numbers' own country.

    A European fashion retailer (240,000 messages in 4 hours through hundreds of residential
    proxies, with valid form tokens) and a Hong Kong facilities app (about a million messages in
    5 days, 2.3 a second, hundreds of addresses with one or two requests each) were pumped like
    this. Bangladesh is among the dearest countries ($0.205 in the price feed of AWS, 2022) and on
    the high-risk lists of Vonage, Authgear, Login.gov and Stytch. Shuffling defeats detectors that
    look for numbers following each other; solutions are bought at $1 per 1,000.
    """

    country: str = "BD"
    addresses: int = 3_000
    blocks: int = 4
    block_size: int = 10_000
    rate: float = 2.0
    starts: float = 20 * HOUR
    name: str = "residential_rotation"

    def plan(self, ground: Ground) -> Attack:
        """Give every address one or two numbers, then shuffle the lot."""
        proxies: dict[str, None] = {}
        while len(proxies) < self.addresses:
            proxies[addresses.residential(self.country, ground.rng)] = None
        origins = [proxy for proxy in proxies for _ in range(ground.rng.choice((1, 2)))]
        ground.rng.shuffle(origins)
        blocks = mobile_blocks(
            largest_carrier(self.country), self.blocks, self.block_size, ground.rng
        )
        numbers = ground.rentable([n for block in blocks for n in block])
        phones = in_rounds(numbers, len(origins), ground.rng)
        shots: list[Shot] = []
        after = 0.0
        for phone, origin in zip(phones, origins, strict=True):
            shots.append(Shot(after, phone, origin))
            after += ground.rng.expovariate(self.rate)
        return Attack(
            self.name, "Residential rotation", self.starts, tuple(shots), buys_solutions=True
        )

    def shortened(self, factor: float) -> ResidentialRotation:
        """The same rate with a part of the addresses, so it ends earlier."""
        return replace(self, addresses=max(1, round(self.addresses * factor)))
