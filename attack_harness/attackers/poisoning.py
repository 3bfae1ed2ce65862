"""Conversion poisoning: enough codes are entered to look like customers."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..clock import HOUR
from .base import Ground
from .residential_rotation import ResidentialRotation
from .verifying import VerifyingAttack


@dataclass(frozen=True)
class Poisoning:
    """The residential rotation of rented blocks, with a share of the codes entered.

    Every published conversion rule acts below 30 to 35 % (Vonage, IronAuth, StartMessaging); who
    owns the range can read the codes, so 36 % of them entered defeats it.
    """

    verified: float = 0.5
    rate: float = 0.5
    hours: float = 4.0
    starts: float = 9 * HOUR
    name: str = "poisoning"

    def plan(self, ground: Ground) -> VerifyingAttack:
        """The same plan whatever share is entered."""
        wanted = round(self.rate * self.hours * HOUR / 1.5)
        base = ResidentialRotation(addresses=max(1, wanted), rate=self.rate, starts=self.starts)
        shots = base.plan(ground).shots
        return VerifyingAttack(
            self.name,
            f"Conversion poisoning ({self.verified:.0%} entered)",
            self.starts,
            shots,
            buys_solutions=True,
            seed=ground.rng.randrange(2**32),
            verified=self.verified,
        )

    def shortened(self, factor: float) -> Poisoning:
        """The same rate for a part of the time."""
        return replace(self, hours=self.hours * factor)
