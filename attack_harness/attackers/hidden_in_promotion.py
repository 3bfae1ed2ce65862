"""An attack that comes with a promotion, when a spike is what everybody expects."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .. import addresses
from ..clock import HOUR
from ..numbering import largest_carrier, mobile_blocks
from ..population import Crowd
from .base import Attack, Ground, Shot


@dataclass(frozen=True)
class HiddenInPromotion:
    """One bot for every five users of a burst of five times the usual traffic.

    A shuffled block, asked for exactly as the users come: 10 seconds after one of them each. It
    defeats alarms about volume such as the 200 % spike of the common checklist, which the
    promotion sets off by itself, and tempts whoever silences them to let everything in. The burst
    is drawn into the population, so it is there without the attack as well.
    """

    country: str = "ID"
    promotion: str = "promotion"
    lasts: float = 2_700.0
    share: float = 0.2
    behind: float = 10.0
    blocks: int = 2
    block_size: int = 1_000
    addresses: int = 100
    part: float = 1.0
    brings_crowd: bool = True
    """Whether the promotion is part of this family, and not of the day."""
    starts: float = 17 * HOUR
    name: str = "hidden_in_promotion"

    @property
    def crowd(self) -> Crowd:
        """The promotion itself."""
        return Crowd(
            self.promotion, self.starts, self.lasts, Crowd.factor if self.brings_crowd else 1.0
        )

    def plan(self, ground: Ground) -> Attack:
        """Follow a share of the users who come meanwhile."""
        ends = self.starts + self.lasts * self.part
        meanwhile = [at for at in ground.arrivals if self.starts <= at < ends]
        followed = ground.rng.sample(meanwhile, round(len(meanwhile) * self.share))
        blocks = mobile_blocks(
            largest_carrier(self.country), self.blocks, self.block_size, ground.rng
        )
        numbers = ground.rentable([n for block in blocks for n in block])
        proxies = [addresses.residential(self.country, ground.rng) for _ in range(self.addresses)]
        shots = tuple(
            Shot(at - self.starts + self.behind, ground.rng.choice(numbers), proxy)
            for at, proxy in zip(
                sorted(followed), ground.rng.choices(proxies, k=len(followed)), strict=True
            )
        )
        return Attack(self.name, "Hidden in promotion", self.starts, shots, buys_solutions=True)

    def shortened(self, factor: float) -> HiddenInPromotion:
        """The same promotion, with the attack in a part of it."""
        return replace(self, part=self.part * factor)
