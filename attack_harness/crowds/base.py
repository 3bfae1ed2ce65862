"""What the days of crowds share: who is counted, what the provider does, and who was announced."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import ClassVar

from ..addresses import residential
from ..attackers import Family
from ..clock import MIDNIGHT
from ..lookalikes import Neighbourhood
from ..population import CGNAT_POOL, Habits, User, patience
from .provider import Provider

ALWAYS_TRUE = "BUDGET_ALERT"
"""Says that half of the day's budget is spent, and no more."""

NOTHING: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True)
class CrowdDay:
    """A day, or several, on which something happens to real users and nobody means harm.

    `people` says who comes; those whom it is about are in a group of its `name`.
    """

    name: ClassVar[str]
    days: ClassVar[int] = 1
    part: ClassVar[float] = 1.0
    """Of the usual number of users, who come each day: days of which several are played have few,
    so that all of them take seconds."""
    usual: ClassVar[bool] = False
    """Whether the crowd comes every day, so that the budget suits it."""
    expected: ClassVar[Mapping[str, int]] = NOTHING
    """Alerts that are true on such a day, by code, and how many of each."""

    def people(self, around: Neighbourhood) -> list[User]:
        """Everybody of these days, in place of the usual ``around.people``."""
        raise NotImplementedError

    @property
    def attack(self) -> Family | None:
        """What hides in the crowd."""
        return None

    @property
    def provider(self) -> Provider | None:
        """When messages arrive, where it is not as usual."""
        return None

    def announced(self, people: Sequence[User]) -> Sequence[str]:
        """Addresses that the operator has put on the allow list."""
        return ()

    def false_alerts(self, raised: Mapping[str, int]) -> int:
        """How many of these alerts, by code, were not true on such a day."""
        return sum(
            max(0, times - self.expected.get(code, 0))
            for code, times in raised.items()
            if code != ALWAYS_TRUE
        )

    def marked(self, user: User) -> User:
        """The user, as one whom this day is about."""
        return replace(user, groups=user.groups | {self.name})


def newcomers(
    around: Neighbourhood,
    name: str,
    country: str,
    times: Sequence[float],
    *,
    address: str | None = None,
    habits: Habits | None = None,
) -> list[User]:
    """People of a country who come at these seconds after midnight: all behind one ``address``, or
    each at home, a quarter of them behind carrier-grade NAT."""
    rng, habits = around.rng, habits or Habits()
    pools = [residential(country, rng) for _ in range(1 + len(times) // (4 * CGNAT_POOL))]
    phones: dict[str, None] = {}
    while len(phones) < len(times):
        phones[around.number(country)] = None
    return [
        around.user(
            nth, MIDNIGHT + at, country, phone, address or _home(country, pools, habits, rng),
            name, patience(habits, rng),
        )
        for nth, (phone, at) in enumerate(zip(phones, times, strict=True))
    ]  # fmt: skip


def _home(country: str, pools: Sequence[str], habits: Habits, rng: random.Random) -> str:
    return rng.choice(pools) if rng.random() < habits.cgnat else residential(country, rng)
