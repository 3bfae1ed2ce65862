"""The simulated time: who comes, and who attacks. The same for both runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from .actors import Start, draws
from .attackers import ALL_FAMILIES, Attack, Family, Ground
from .attackers.base import BringsCrowd, BringsNeighbours
from .clock import MIDNIGHT
from .crowds import CrowdDay
from .lookalikes import LOOKALIKES, Neighbourhood
from .population import Crowd, User, population
from .user import Outcome, starts


@dataclass(frozen=True)
class World:
    """Real users and planned attacks."""

    seed: int
    users: tuple[User, ...]
    attacks: tuple[Attack, ...]
    days: int = 1

    def __post_init__(self) -> None:
        # A fraudster cannot rent the number of a real person: it would be the wrong experiment.
        rented = [attack.phones - attack.victims for attack in self.attacks]
        sides = [frozenset(user.phone for user in self.users), *rented]
        if len(frozenset().union(*sides)) != sum(map(len, sides)):
            raise ValueError("users and attacks must not share numbers")

    def cast(self) -> tuple[list[Outcome], Iterator[Start]]:
        """Everybody, ready to play one run, and where the users' outcomes will be written."""
        outcomes = [Outcome(user) for user in self.users]

        def everybody() -> Iterator[Start]:
            yield from starts(outcomes)
            for attack in self.attacks:
                yield from attack.actors()

        return outcomes, everybody()


def build(
    seed: int,
    users: int,
    names: Sequence[str],
    part: float = 1.0,
    *,
    families: Mapping[str, Family] = ALL_FAMILIES,
    days: int = 1,
    lookalikes: Sequence[str] = (),
    crowd: CrowdDay | None = None,
) -> World:
    """Draw the time; ``part`` shortens every attack to that part of its own."""
    chosen = [families[name].shortened(part) for name in names]
    people = _people(seed, users, chosen, days, lookalikes)
    if crowd is not None:
        people = tuple(crowd.people(Neighbourhood(draws(seed, crowd.name), people)))
    attacks = _attacks(seed, people, chosen, days)
    return World(seed, people, tuple(sorted(attacks, key=lambda attack: attack.starts)), days)


def _people(
    seed: int, size: int, families: Sequence[Family], days: int, lookalikes: Sequence[str]
) -> tuple[User, ...]:
    crowds = tuple(family.crowd for family in families if isinstance(family, BringsCrowd))
    people = list(_usual(seed, size, days, crowds))
    for family in families:
        if isinstance(family, BringsNeighbours):
            people += family.neighbours(Neighbourhood(draws(seed, family.name), tuple(people)))
    for name in lookalikes:
        people += LOOKALIKES[name].users(Neighbourhood(draws(seed, name), tuple(people)))
    return tuple(people)


@lru_cache(maxsize=2)
def _usual(seed: int, size: int, days: int, crowds: tuple[Crowd, ...]) -> tuple[User, ...]:
    """Drawn once for all attacks and defences that are played before the same users."""
    return tuple(population(seed, size, days=days, crowds=crowds))


def _attacks(
    seed: int, people: Sequence[User], families: Sequence[Family], days: int
) -> list[Attack]:
    phones = frozenset(user.phone for user in people)
    arrivals = tuple(user.at - MIDNIGHT for user in people)
    owned = set(phones)
    attacks: list[Attack] = []
    for family in families:
        rng = draws(seed, family.name)
        attacks.append(family.plan(Ground(rng, frozenset(owned), phones, arrivals, days)))
        owned |= attacks[-1].phones
    return attacks
