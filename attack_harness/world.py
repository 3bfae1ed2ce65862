"""One simulated day: who comes, and who attacks. The same for both runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .actors import Start, draws
from .attackers import ALL_FAMILIES, Attack, Family, Ground
from .population import User, population
from .user import Outcome, starts


@dataclass(frozen=True)
class World:
    """Real users and planned attacks, whose numbers never overlap."""

    seed: int
    users: tuple[User, ...]
    attacks: tuple[Attack, ...]

    def __post_init__(self) -> None:
        # Messages are attributed by number, so a shared one would spoil the whole account.
        sides = [frozenset(u.phone for u in self.users), *(a.phones for a in self.attacks)]
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
) -> World:
    """Draw a day; ``part`` shortens every attack to that part of its time."""
    people = tuple(population(seed, users))
    owned = {user.phone for user in people}
    attacks: list[Attack] = []
    for name in names:
        ground = Ground(draws(seed, name), frozenset(owned))
        attacks.append(families[name].shortened(part).plan(ground))
        owned |= attacks[-1].phones
    return World(seed, people, tuple(sorted(attacks, key=lambda attack: attack.starts)))
