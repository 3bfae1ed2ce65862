"""Bought proof: a patient attacker who solves whatever he is asked to, and enters no code."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from .. import addresses
from ..clock import DAY, MIDNIGHT
from ..countries import HOME
from ..lookalikes.base import Neighbourhood
from ..numbering import is_mobile, mobile_number
from ..population import Habits, User, patience
from .base import Attack, Ground, Shot

SPREAD = 1 / 3
"""Up to so much of the mean, a pause is longer or shorter."""


@dataclass(frozen=True)
class BoughtProof:
    """A message every minute and a half, all day, to numbers all over a range of a million.

    Each comes from a fresh residential address of a home country, and every proof is bought at a
    dollar per 1,000, so that only what becomes of the messages tells him from travellers. The
    owner of the range earns a tenth of each: some $15 a day where nobody stops him. ``people`` who
    live in the range come on the same day.
    """

    country: str = "LK"
    every: float = 90.0
    """Seconds, on average."""
    digits: int = 6
    """The range holds ten to the power of this many numbers."""
    from_home: float = 1.0
    """The share of his addresses that are in home countries; the others are in the number's."""
    people: int = 60
    seconds: float = DAY
    starts: float = 0.0
    name: str = "bought_proof"

    def plan(self, ground: Ground) -> Attack:
        """Draw the range, then a moment, a number and an address for each request."""
        owner = self._range(ground.rng)
        shots: list[Shot] = []
        phones = set(ground.owned)
        after = 0.0
        while (after := after + self._pause(ground.rng)) < self.seconds - self.starts:
            phone = _number(owner, self.digits, phones, ground.rng)
            here = self.country
            if ground.rng.random() < self.from_home:
                here = ground.rng.choice(sorted(HOME))
            shots.append(Shot(round(after, 3), phone, addresses.residential(here, ground.rng)))
        return Attack(self.name, "Bought proof", self.starts, tuple(shots), buys_solutions=True)

    def neighbours(self, around: Neighbourhood) -> list[User]:
        """People of the range, at home: who travels with such a number is one of many bots."""
        rng, habits = around.rng, Habits()
        owner = self._range(rng)
        taken = {user.phone for user in around.people}
        found = []
        for nth in range(self.people):
            phone = _number(owner, self.digits, taken, rng)
            found.append(
                around.user(
                    nth,
                    MIDNIGHT + rng.uniform(0, self.seconds),
                    self.country,
                    phone,
                    addresses.residential(self.country, rng),
                    self.name,
                    patience(habits, rng),
                )
            )
        return found

    def _range(self, rng: random.Random) -> str:
        return mobile_number(self.country, rng)[: -self.digits]

    def _pause(self, rng: random.Random) -> float:
        return self.every * rng.uniform(1 - SPREAD, 1 + SPREAD)

    def shortened(self, factor: float) -> BoughtProof:
        """The same pace for a part of the day."""
        return replace(self, seconds=self.seconds * factor)


def _number(prefix: str, digits: int, taken: set[str], rng: random.Random) -> str:
    """A mobile number of the range that nobody has, who has it from now on."""
    while True:
        phone = f"{prefix}{rng.randrange(10**digits):0{digits}d}"
        if phone not in taken and is_mobile(phone):
            taken.add(phone)
            return phone
