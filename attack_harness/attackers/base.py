"""What all attack families share: a plan of shots, and a bot that fires one of them.

An attack is planned completely before the run, so both runs meet exactly the same requests; only
what a bot does about a challenge depends on the answer.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

from ..actors import Actor, Call, Json, Start, Wait
from ..clock import MIDNIGHT
from ..lookalikes.base import Neighbourhood
from ..population import Crowd, User

RESIDENTIAL_PROXY = 0.0001
"""Dollars per request through a residential proxy: $1.75 to $8 per GB at 5 to 20 kB a request."""

SOLVED_CHALLENGE = 0.001
"""Dollars per solved challenge: $1 per 1,000, the upper end of the published solver prices."""

SEND = "/otp/send"

SOLVING_TAKES = (8.0, 20.0)
"""Seconds from ordering a challenge solution to having it."""


class Shot(NamedTuple):
    """One planned request: seconds after the attack's start, to whom, and from where.

    ``typed`` is the body where the number is not simply spelt in E.164.
    """

    after: float
    phone: str
    address: str
    typed: Json | None = None
    path: str = SEND


@dataclass(frozen=True)
class Attack:
    """A planned attack."""

    name: str
    title: str
    starts: float
    """Seconds after midnight."""
    shots: tuple[Shot, ...]
    proxy_cost: float = RESIDENTIAL_PROXY
    buys_solutions: bool = False
    victims: frozenset[str] = frozenset()
    """Numbers that it asks for although they belong to real people."""

    @property
    def phones(self) -> frozenset[str]:
        """All numbers it will ever ask for."""
        return frozenset(shot.phone for shot in self.shots)

    @property
    def ends(self) -> float:
        """Seconds after midnight of its last planned request."""
        return self.starts + max((shot.after for shot in self.shots), default=0.0)

    def actors(self) -> Iterator[Start]:
        """One bot per planned request."""
        for number, shot in enumerate(self.shots):
            yield Start(MIDNIGHT + self.starts + shot.after, self.name, bot(self, shot, number))


class Ground(NamedTuple):
    """What an attack is planned on: its own draws, and what its planner may know of the world.

    ``owned`` numbers are taken, by people or other attacks; ``people`` are the numbers of users
    with accounts, and ``arrivals`` the seconds after midnight at which users come.
    """

    rng: random.Random
    owned: frozenset[str] = frozenset()
    people: frozenset[str] = frozenset()
    arrivals: tuple[float, ...] = ()
    days: int = 1

    def rentable(self, numbers: Sequence[str]) -> list[str]:
        """The numbers that no real user owns."""
        return [number for number in numbers if number not in self.owned]


class Family(Protocol):
    """A family of attacks with its parameters."""

    @property
    def name(self) -> str:
        """The name on the command line and in the scorecard."""
        ...

    def plan(self, ground: Ground) -> Attack:
        """Draw everything that the attack will do."""
        ...

    def shortened(self, factor: float) -> Family:
        """The same attack at the same rate for a part of its time."""
        ...


@runtime_checkable
class BringsCrowd(Protocol):
    """A family that attacks while a crowd of real users comes, and because of it."""

    @property
    def crowd(self) -> Crowd:
        """Who comes."""
        ...


@runtime_checkable
class BringsNeighbours(Protocol):
    """A family whose day has people of its own, because they are the ones whom it harms."""

    def neighbours(self, around: Neighbourhood) -> list[User]:
        """Who lives there."""
        ...


def in_rounds(numbers: Sequence[str], count: int, rng: random.Random) -> list[str]:
    """So many numbers in random order, none again before all others were asked for as well."""
    found: list[str] = []
    while len(found) < count:
        found += rng.sample(numbers, min(len(numbers), count - len(found)))
    return found


def call(shot: Shot) -> Call:
    """The request of one shot."""
    return Call(
        "POST", shot.path, shot.typed or {"phone": shot.phone}, shot.address, meant=shot.phone
    )


def bot(attack: Attack, shot: Shot, number: int) -> Actor:
    """Fire one shot; on a challenge buy a solution and try once more, or drop it.

    Every other refusal is ignored: bots go on with the next number.
    """
    send = call(shot)
    reply = yield send
    if reply.challenged and attack.buys_solutions:
        # Spread over the solver's turnaround without a generator of its own: 26,000 of them cost.
        low, high = SOLVING_TAKES
        yield Wait(low + (high - low) * (number * 0.618034 % 1))
        yield send._replace(human=True)
