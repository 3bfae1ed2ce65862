"""What the look-alikes share: whom they live among, and machines that cannot solve a challenge."""

from __future__ import annotations

import random
from typing import NamedTuple, Protocol

from ..numbering import mobile_number
from ..population import MAX_SENDS, Patience, User

MACHINE = Patience(
    finishes=True,
    enters_after=8.0,
    resends_after=(90.0,) * MAX_SENDS,
    solves=False,
    solves_after=0.0,
    tries_again=False,
)
"""A script that enters the code as soon as it sees it, and shows no human for a challenge."""


class Neighbourhood(NamedTuple):
    """The draws of a look-alike, and the users it lives among."""

    rng: random.Random
    people: tuple[User, ...]

    def number(self, country: str) -> str:
        """A mobile number that nobody has yet."""
        taken = {user.phone for user in self.people}
        while (phone := mobile_number(country, self.rng)) in taken:
            pass
        return phone

    def user(
        self, nth: int, at: float, country: str, phone: str, address: str, name: str, how: Patience
    ) -> User:
        """The nth user of a look-alike."""
        number, typed = len(self.people) + nth, ({"phone": phone},) * MAX_SENDS
        groups = frozenset({name})
        return User(number, round(at, 3), country, phone, address, groups, typed, how)


class Lookalike(Protocol):
    """Innocent traffic that a detector of bursts takes for an attack."""

    @property
    def name(self) -> str:
        """The name on the command line, and of its group in the scorecard."""
        ...

    def users(self, around: Neighbourhood) -> list[User]:
        """Its visits."""
        ...
