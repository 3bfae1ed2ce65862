"""A load test from the company's own office."""

from __future__ import annotations

from dataclasses import dataclass

from ..addresses import residential
from ..clock import HOUR, MIDNIGHT
from ..numbering import largest_carrier, mobile_blocks
from ..population import User
from .base import MACHINE, Neighbourhood


@dataclass(frozen=True)
class LoadTest:
    """Two requests a second for five minutes, from one address to the team's test numbers.

    The first of the false positives in Elastic's detection of T1496.003: k6, Gatling or JMeter
    against the endpoint, from a fixed runner. "Coordinate with engineering to whitelist known test
    source IPs". The test numbers are adjacent, as they come from a provider, and each is used ten
    times.
    """

    country: str = "GB"
    numbers: int = 60
    rate: float = 2.0
    seconds: float = 300.0
    starts: float = 11 * HOUR
    name: str = "load_test"

    def users(self, around: Neighbourhood) -> list[User]:
        """One visit for each request, round and round the numbers."""
        address = residential(self.country, around.rng)
        (block,) = mobile_blocks(largest_carrier(self.country), 1, 1_000, around.rng)
        taken = {user.phone for user in around.people}
        phones = [phone for phone in block if phone not in taken][: self.numbers]
        start = MIDNIGHT + self.starts
        return [
            around.user(
                n,
                start + n / self.rate,
                self.country,
                phones[n % len(phones)],
                address,
                self.name,
                MACHINE,
            )
            for n in range(round(self.rate * self.seconds))
        ]
