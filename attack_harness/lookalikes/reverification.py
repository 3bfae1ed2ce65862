"""A migration job that has all existing users verify their number once more."""

from __future__ import annotations

from dataclasses import dataclass

from ..addresses import hosting
from ..clock import HOUR, MIDNIGHT
from ..population import User
from .base import MACHINE, Neighbourhood


@dataclass(frozen=True)
class Reverification:
    """A batch over the users who signed up earlier that day, two a second, from one server.

    The fourth of the false positives in Elastic's detection of T1496.003: the migration of an
    identity provider, which verifies the numbers of a large population again and routes everything
    through one service address. The users enter their codes, but the job shows no human.
    """

    country: str = "US"
    most: int = 500
    rate: float = 2.0
    starts: float = 18 * HOUR
    name: str = "reverification"

    def users(self, around: Neighbourhood) -> list[User]:
        """One visit in the name of each existing user."""
        address, start = hosting(self.country, around.rng), MIDNIGHT + self.starts
        existing = [user for user in around.people if user.at < start - HOUR]
        chosen = around.rng.sample(existing, min(self.most, len(existing)))
        return [
            around.user(
                n, start + n / self.rate, user.country, user.phone, address, self.name, MACHINE
            )
            for n, user in enumerate(chosen)
        ]
