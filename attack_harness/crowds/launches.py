"""Many more users than usual, at once and all over a country, or for good."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from ..attackers import Family, HiddenInPromotion
from ..clock import DAY, HOUR, MIDNIGHT
from ..lookalikes import Neighbourhood
from ..population import Habits, User
from .base import CrowdDay, newcomers

USUAL, ALL_VERIFY = Habits(), Habits(finish=1.0)


@dataclass(frozen=True)
class Launch(CrowdDay):
    """A campaign in a home country: eight times the usual number of users for 40 minutes.

    All of them enter their codes, and it is on nobody's calendar: the guard is not told.
    """

    country: str = "DE"
    factor: float = 8.0
    seconds: float = 2_400.0
    starts: float = 17 * HOUR
    habits: Habits = ALL_VERIFY
    name: ClassVar[str] = "launch"
    expected: ClassVar[Mapping[str, int]] = {"SEND_SPIKE": 1}

    def people(self, around: Neighbourhood) -> list[User]:
        """The usual users, and most of the others soon after the beginning."""
        begins = MIDNIGHT + self.starts
        usual = sum(begins <= user.at < begins + self.seconds for user in around.people)
        draw = around.rng.triangular
        more = [
            self.starts + draw(0, self.seconds, self.seconds / 5)
            for _ in range(round(usual * (self.factor - 1)))
        ]
        crowd = newcomers(around, self.name, self.country, more, habits=self.habits)
        return [*around.people, *crowd]


@dataclass(frozen=True)
class BigLaunch(Launch):
    """Twenty times the usual, of whom as many as ever enter their codes."""

    factor: float = 20.0
    habits: Habits = USUAL
    name: ClassVar[str] = "big_launch"
    # It costs more than a busy day, so that its budget is nearly spent, or spent, is true.
    expected: ClassVar[Mapping[str, int]] = {"SEND_SPIKE": 1, "BUDGET_LOW": 2, "BUDGET_SPENT": 2}


@dataclass(frozen=True)
class AttackedLaunch(Launch):
    """A launch with an attack inside: a bot for every five who come, ten seconds after one."""

    habits: Habits = USUAL
    attack_country: str = "ID"
    share: float = 0.2
    name: ClassVar[str] = "attacked_launch"
    expected: ClassVar[Mapping[str, int]] = {"SEND_SPIKE": 1, "ATTACK_BEGINS": 1, "ATTACK_OVER": 1}

    @property
    def attack(self) -> Family:
        """It asks for a shuffled block and buys its proofs."""
        return HiddenInPromotion(
            country=self.attack_country, share=self.share, starts=self.starts,
            lasts=self.seconds, brings_crowd=False,
        )  # fmt: skip


@dataclass(frozen=True)
class NewMarket(CrowdDay):
    """The app opens in a country that is not among its home ones, and half as many come from there
    every day as from everywhere else; they enter their codes as all others do."""

    country: str = "PL"
    share: float = 0.5
    hours: tuple[float, float] = field(default=(7.0, 22.0))
    name: ClassVar[str] = "new_market"
    days: ClassVar[int] = 4
    part: ClassVar[float] = 0.3
    usual: ClassVar[bool] = True

    def people(self, around: Neighbourhood) -> list[User]:
        """The usual users, and those of the new country in its waking hours."""
        count = round(len(around.people) * self.share)
        low, high = (hour * HOUR for hour in self.hours)
        times = [
            around.rng.randrange(self.days) * DAY + around.rng.uniform(low, high)
            for _ in range(count)
        ]
        return [*around.people, *newcomers(around, self.name, self.country, times)]
