"""A room full of people who sign up together, behind one address."""

from __future__ import annotations

from dataclasses import dataclass

from ..addresses import residential
from ..clock import HOUR, MIDNIGHT
from ..population import Habits, User, patience
from .base import Neighbourhood


@dataclass(frozen=True)
class LectureHall:
    """The speaker says "install the app": 150 people do so within ten minutes.

    The second of the false positives in Elastic's detection of T1496.003: a launch or a promotion,
    and many real users behind a corporate NAT or cloud egress address. They have their own numbers
    of many carriers, solve challenges as people do, and enter their codes.
    """

    country: str = "GB"
    people: int = 150
    seconds: float = 600.0
    starts: float = 10 * HOUR
    name: str = "lecture_hall"

    def users(self, around: Neighbourhood) -> list[User]:
        """Everybody in the room, most of them within the first minutes."""
        rng, address = around.rng, residential(self.country, around.rng)
        phones: dict[str, None] = {}
        while len(phones) < self.people:
            phones[around.number(self.country)] = None
        return [
            around.user(
                nth,
                MIDNIGHT + self.starts + rng.triangular(0, self.seconds, self.seconds / 4),
                self.country,
                phone,
                address,
                self.name,
                patience(Habits(), rng),
            )
            for nth, phone in enumerate(phones)
        ]
