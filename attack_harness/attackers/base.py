"""What all attack families share: a plan of shots, and a bot that fires one of them.

An attack is planned completely before the run, so both runs meet exactly the same requests; only
what a bot does about a challenge depends on the answer.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from ..actors import Actor, Call, Start, Wait
from ..clock import MIDNIGHT

RESIDENTIAL_PROXY = 0.0001
"""Dollars per request through a residential proxy: $1.75 to $8 per GB at 5 to 20 kB a request."""

SOLVED_CHALLENGE = 0.001
"""Dollars per solved challenge: $1 per 1,000, the upper end of the published solver prices."""

SOLVING_TAKES = (8.0, 20.0)
"""Seconds from ordering a challenge solution to having it."""


class Shot(NamedTuple):
    """One planned request: seconds after the attack's start, to whom, and from where."""

    after: float
    phone: str
    address: str


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

    @property
    def phones(self) -> frozenset[str]:
        """All numbers it will ever ask for."""
        return frozenset(shot.phone for shot in self.shots)

    @property
    def ends(self) -> float:
        """Seconds after midnight of its last planned request."""
        return self.starts + max(shot.after for shot in self.shots)

    def actors(self) -> Iterator[Start]:
        """One bot per planned request."""
        for number, shot in enumerate(self.shots):
            yield Start(MIDNIGHT + self.starts + shot.after, self.name, bot(self, shot, number))


class Ground(NamedTuple):
    """What an attack is planned on: its own draws, and the numbers that belong to real people."""

    rng: random.Random
    owned: frozenset[str] = frozenset()

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


def bot(attack: Attack, shot: Shot, number: int) -> Actor:
    """Fire one shot; on a challenge buy a solution and try once more, or drop it.

    Every other refusal is ignored: bots go on with the next number.
    """
    send = Call("POST", "/otp/send", {"phone": shot.phone}, shot.address)
    reply = yield send
    if reply.challenged and attack.buys_solutions:
        # Spread over the solver's turnaround without a generator of its own: 26,000 of them cost.
        low, high = SOLVING_TAKES
        yield Wait(low + (high - low) * (number * 0.618034 % 1))
        yield send._replace(human=True)
