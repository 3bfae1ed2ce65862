"""A rented block of adjacent numbers, walked from the first to the last."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .. import addresses
from ..clock import HOUR
from ..numbering import largest_carrier, mobile_blocks
from .base import Attack, Ground, Shot


@dataclass(frozen=True)
class SequentialBlock:
    """Adjacent numbers of one carrier in one expensive country, in order, at night.

    Flipdish reported a step at about 01:00 with numbers of a single operator that followed each
    other (+...787, +...788, +...789); blocks of 1,000 to 10,000 numbers, stride 1, at 2 to 20
    requests per second are what published incidents add up to. Azerbaijan was the second most
    expensive country in the price feed of AWS (2022: $0.271) and is on the high-risk lists of
    Vonage, Authgear, Login.gov and Stytch. The proxies are residential addresses of the same
    country, so the two never disagree. A number that meets a challenge is dropped.
    """

    country: str = "AZ"
    blocks: int = 2
    block_size: int = 5_000
    stride: int = 1
    rate: float = 5.0
    seconds: float = 1_800.0
    addresses: int = 50
    starts: float = 1 * HOUR
    name: str = "sequential_block"

    def plan(self, ground: Ground) -> Attack:
        """Walk the blocks one after the other, each request from any of the addresses."""
        blocks = mobile_blocks(
            largest_carrier(self.country), self.blocks, self.block_size, ground.rng
        )
        numbers = ground.rentable([n for block in blocks for n in block[:: self.stride]])
        proxies = [addresses.residential(self.country, ground.rng) for _ in range(self.addresses)]
        shots = tuple(
            Shot(n / self.rate, phone, ground.rng.choice(proxies))
            for n, phone in enumerate(numbers[: round(self.rate * self.seconds)])
        )
        return Attack(self.name, "Sequential block", self.starts, shots)

    def shortened(self, factor: float) -> SequentialBlock:
        """The same rate for a part of the time."""
        return replace(self, seconds=self.seconds * factor)
