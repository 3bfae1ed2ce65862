"""A synthetic check that signs up all day long to see whether messages arrive."""

from __future__ import annotations

from dataclasses import dataclass

from ..addresses import hosting
from ..clock import DAY, MIDNIGHT
from ..population import User
from .base import MACHINE, Neighbourhood


@dataclass(frozen=True)
class UptimeMonitor:
    """The whole flow every fifteen minutes: one number, one address of a hosting provider.

    The third of the false positives in Elastic's detection of T1496.003: Datadog Synthetics or
    Checkly, which run in the cloud, asking for a code and entering it to check the delivery of
    messages from end to end.
    """

    country: str = "US"
    every: float = 900.0
    name: str = "uptime_monitor"

    def users(self, around: Neighbourhood) -> list[User]:
        """One visit for each check of the first day."""
        address, phone = hosting(self.country, around.rng), around.number(self.country)
        return [
            around.user(
                n, MIDNIGHT + n * self.every, self.country, phone, address, self.name, MACHINE
            )
            for n in range(int(DAY // self.every))
        ]
