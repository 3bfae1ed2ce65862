"""Rented blocks of adjacent numbers in random order."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .. import addresses
from ..clock import HOUR
from ..numbering import largest_carrier, mobile_blocks
from .base import Attack, Ground, Shot, in_rounds


@dataclass(frozen=True)
class ShuffledBlock:
    """What the sequential block asks for, in random order, as fast as the fastest long attack.

    A European fashion retailer paid for 240,000 messages in 4 hours from midnight on, which is
    16.7 a second, through hundreds of residential proxies. Random order defeats detectors that
    look for numbers following each other. Algeria is on all four published lists of the most
    abused destinations (Vonage, Authgear, Login.gov, Stytch).
    """

    country: str = "DZ"
    blocks: int = 3
    block_size: int = 5_000
    rate: float = 16.7
    seconds: float = 600.0
    addresses: int = 300
    starts: float = 0.25 * HOUR
    name: str = "shuffled_block"

    def plan(self, ground: Ground) -> Attack:
        """Draw the numbers, each from any of the addresses, and all of them before one again."""
        blocks = mobile_blocks(
            largest_carrier(self.country), self.blocks, self.block_size, ground.rng
        )
        numbers = ground.rentable([n for block in blocks for n in block])
        proxies = [addresses.residential(self.country, ground.rng) for _ in range(self.addresses)]
        shots = tuple(
            Shot(n / self.rate, phone, ground.rng.choice(proxies))
            for n, phone in enumerate(
                in_rounds(numbers, round(self.rate * self.seconds), ground.rng)
            )
        )
        return Attack(self.name, "Shuffled block", self.starts, shots)

    def shortened(self, factor: float) -> ShuffledBlock:
        """The same rate for a part of the time."""
        return replace(self, seconds=self.seconds * factor)
