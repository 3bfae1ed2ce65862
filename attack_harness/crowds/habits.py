"""The usual users on days that are not as usual: they come back, they wait, the clocks change."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import ClassVar

from ..clock import DAY, HOUR, MIDNIGHT
from ..lookalikes import LoadTest, Neighbourhood, UptimeMonitor
from ..population import Habits, User, patience
from .base import CrowdDay, newcomers
from .provider import Provider


@dataclass(frozen=True)
class ComingBack(CrowdDay):
    """People who sign in with a code twice a day, every day for eight days."""

    members: int = 60
    visits: int = 2
    name: ClassVar[str] = "coming_back"
    days: ClassVar[int] = 8
    part: ClassVar[float] = 0.1
    usual: ClassVar[bool] = True

    def people(self, around: Neighbourhood) -> list[User]:
        """The usual users; of those who came first, some come back at about their time of day."""
        rng, found, numbers = around.rng, list(around.people), count(len(around.people))
        first = [user for user in around.people if user.at < MIDNIGHT + DAY]
        for user in rng.sample(first, min(self.members, len(first))):
            found.remove(user)
            for day in range(self.days):
                for visit in range(self.visits):
                    hour = 8 + visit * 14 / self.visits + rng.uniform(0, 2)
                    at = round(MIDNIGHT + day * DAY + hour * HOUR, 3)
                    # A number for each visit: those without a code are told apart by it.
                    again = replace(user, number=next(numbers), at=at)
                    found.append(self.marked(replace(again, patience=patience(Habits(), rng))))
        return found


@dataclass(frozen=True)
class OneCountry(CrowdDay):
    """Two days of an app that has users in one country alone, three of five of whom enter their
    codes: 60 to 85 % do (IronAuth), so these are the fewest that are still usual."""

    country: str = "DE"
    finish: float = 0.6
    name: ClassVar[str] = "one_country"
    days: ClassVar[int] = 2
    part: ClassVar[float] = 0.5
    usual: ClassVar[bool] = True

    def people(self, around: Neighbourhood) -> list[User]:
        """As many as usual, and as usual spread over the day."""
        times = [user.at - MIDNIGHT for user in around.people]
        habits = replace(Habits(), finish=self.finish)
        return newcomers(around, self.name, self.country, times, habits=habits)


@dataclass(frozen=True)
class SlowProvider(CrowdDay):
    """For six hours codes take 40 seconds to 3 minutes, and people press "send again"."""

    starts: float = 12 * HOUR
    seconds: float = 6 * HOUR
    takes: tuple[float, float] = (40.0, 180.0)
    name: ClassVar[str] = "slow_provider"

    def people(self, around: Neighbourhood) -> list[User]:
        """The usual users."""
        return [self.marked(user) if self._meets(user.at) else user for user in around.people]

    @property
    def provider(self) -> Provider:
        """Late while it lasts."""
        return lambda at, rng: at + rng.uniform(*self.takes) if self._meets(at) else at

    def _meets(self, at: float) -> bool:
        return self.starts <= at - MIDNIGHT < self.starts + self.seconds


@dataclass(frozen=True)
class BrokenProvider(CrowdDay):
    """For twenty minutes nothing arrives, and then everything at once."""

    starts: float = 18 * HOUR
    seconds: float = 1_200.0
    lingers: float = HOUR
    name: ClassVar[str] = "broken_provider"
    expected: ClassVar[Mapping[str, int]] = {"PROVIDER_OUTAGE": 1}

    def people(self, around: Neighbourhood) -> list[User]:
        """The usual users: those who come meanwhile, and in the hour after it."""
        ends = MIDNIGHT + self.starts + self.seconds + self.lingers
        return [
            self.marked(user) if MIDNIGHT + self.starts <= user.at < ends else user
            for user in around.people
        ]

    @property
    def provider(self) -> Provider:
        """Nothing before the end."""
        begins, ends = MIDNIGHT + self.starts, MIDNIGHT + self.starts + self.seconds

        def arrives(at: float, rng: random.Random) -> float:
            return ends + rng.uniform(0, 60) if begins <= at < ends else at

        return arrives


@dataclass(frozen=True)
class ClocksChange(CrowdDay):
    """The night in which the clocks go forward: from three o'clock on, everybody is an hour early.

    Four usual days come before it, so that it is known what is usual.
    """

    name: ClassVar[str] = "clocks_change"
    days: ClassVar[int] = 5
    part: ClassVar[float] = 0.4

    def people(self, around: Neighbourhood) -> list[User]:
        """The usual users, an hour earlier from the last day's night on."""
        night = MIDNIGHT + (self.days - 1) * DAY
        return [
            self.marked(replace(user, at=round(user.at - HOUR, 3)))
            if user.at >= night + 3 * HOUR
            else user
            for user in around.people
        ]


@dataclass(frozen=True)
class Monitor(CrowdDay):
    """A synthetic check of the whole flow every minute, from an address on the allow list."""

    every: float = 60.0
    name: ClassVar[str] = "monitor"

    def people(self, around: Neighbourhood) -> list[User]:
        """The usual users, and the check."""
        checks = UptimeMonitor(every=self.every).users(around)
        return [*map(self.marked, around.people), *map(self.marked, checks)]

    def announced(self, people: Sequence[User]) -> Sequence[str]:
        """Where it runs."""
        return _machines(people)


@dataclass(frozen=True)
class AnnouncedLoadTest(CrowdDay):
    """Two requests a second for five minutes to test numbers, from an address on the allow list."""

    rate: float = 2.0
    seconds: float = 300.0
    name: ClassVar[str] = "announced_load_test"
    expected: ClassVar[Mapping[str, int]] = {"SEND_SPIKE": 1}

    def people(self, around: Neighbourhood) -> list[User]:
        """The usual users, and the runner."""
        runner = LoadTest(rate=self.rate, seconds=self.seconds).users(around)
        return [*map(self.marked, around.people), *map(self.marked, runner)]

    def announced(self, people: Sequence[User]) -> Sequence[str]:
        """Where it runs."""
        return _machines(people)


def _machines(people: Sequence[User]) -> list[str]:
    names = {UptimeMonitor().name, LoadTest().name}
    return sorted({user.address for user in people if user.groups & names})
