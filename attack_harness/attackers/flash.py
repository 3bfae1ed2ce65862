"""A flash flood: over before anybody wakes up."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .. import addresses
from ..clock import HOUR
from ..numbering import largest_carrier
from .base import Attack, Ground, Shot


@dataclass(frozen=True)
class Flash:
    """Tens of requests per second for three minutes, from one address.

    Yousef Amar's 2023 incident: more than 1,500 GBP in three minutes at about 05:00 UTC, which is
    55 to 80 messages a second, to numbers in Myanmar, mostly from one address in Palestine. Which
    numbers they were is not published: here they are random numbers of one carrier. The address is
    the attacker's own, so it costs nothing, and nobody solves challenges at that speed.
    """

    country: str = "MM"
    from_country: str = "PS"
    rate: float = 65.0
    seconds: float = 180.0
    main_address_share: float = 0.95
    other_addresses: int = 4
    starts: float = 5 * HOUR
    name: str = "flash"

    def plan(self, ground: Ground) -> Attack:
        """Draw distinct numbers over all ranges of the carrier."""
        ranges = largest_carrier(self.country)
        wanted = round(self.rate * self.seconds)
        each = -(-wanted * 11 // (10 * len(ranges)))  # a tenth more than needed
        numbers = ground.rentable(
            [
                r.number(i)
                for r in ranges
                for i in ground.rng.sample(range(r.size), min(each, r.size))
            ]
        )
        ground.rng.shuffle(numbers)
        main, *others = (
            addresses.residential(self.from_country, ground.rng)
            for _ in range(1 + self.other_addresses)
        )
        shots = tuple(
            Shot(
                n / self.rate,
                phone,
                main
                if ground.rng.random() < self.main_address_share
                else ground.rng.choice(others),
            )
            for n, phone in enumerate(numbers[:wanted])
        )
        return Attack(self.name, "Flash flood", self.starts, shots, proxy_cost=0.0)

    def shortened(self, factor: float) -> Flash:
        """The same rate for a part of the time."""
        return replace(self, seconds=self.seconds * factor)
