"""The attacker who has read the policy, and wants all the money that it leaves him."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil

from pumpguard import Policy
from pumpguard.money.exposure import exposure

from .. import addresses
from ..clock import HOUR
from ..numbering import may_hold, mobile_number, mobile_ranges
from .base import Ground, Shot
from .verifying import VerifyingAttack

SENDS = 3
"""Per number: a known number may spend what is reserved for customers."""

FIRST_PART, LATER = 0.35, 0.3
"""Of the time: in which all numbers are asked for once, and after which each is again."""

LEAST_PAUSE = 62.0
ROOMY = 10**8
"""Mobile numbers in a plan above which blocks of numbers are no obstacle."""

SPARE = 1.5
"""Times as many numbers as should do: some blocks will be full."""


@dataclass(frozen=True)
class Optimal:
    """Plays against the bound that `pumpguard.money.exposure` prints.

    He picks the dearest country that no narrower limit protects and whose numbering plan has room
    between its blocks, numbers of his own spread over all its ranges, and a residential address of
    that country for each. He solves every challenge and enters every code as a person would, which
    pays back his credit and makes his numbers known. When the open share of the budget is spent he
    asks again with the numbers that are known.
    """

    policy: Policy
    hours: float = 1.0
    starts: float = 2 * HOUR
    name: str = "optimal"

    def plan(self, ground: Ground) -> VerifyingAttack:
        """Enough requests, evenly over the time, to spend the bound."""
        country, price, bound = self.aim()
        wanted = ceil(bound * SPARE / price / SENDS)
        time = self.hours * HOUR
        every = FIRST_PART * time / wanted
        phones: dict[str, None] = {}
        while len(phones) < wanted:
            phones.update(dict.fromkeys(ground.rentable([mobile_number(country, ground.rng)])))
        shots = tuple(
            Shot(n * every, phone, addresses.residential(country, ground.rng))
            for n, phone in enumerate(phones)
        )
        return VerifyingAttack(
            self.name,
            f"Optimal attacker ({country})",
            self.starts,
            shots,
            buys_solutions=True,
            seed=ground.rng.randrange(2**32),
            sends=SENDS,
            pause=max(LEAST_PAUSE, LATER * time),
        )

    def aim(self) -> tuple[str, float, float]:
        """Where to: the country, its price, and the bound on the whole attack in USD."""
        bound = exposure(self.policy)
        total = bound.hour.usd if self.hours <= 1 else bound.day.usd
        there = [c for c in bound.countries if c.country in addresses.known_countries()]
        most = max(each.hour.usd for each in there)
        dear = sorted((c for c in there if c.hour.usd == most), key=lambda c: -c.price)
        roomy = (each for each in dear if _room(each.country, ROOMY) >= ROOMY)
        chosen = next(roomy, None) or max(dear, key=lambda c: _room(c.country))
        return chosen.country, chosen.price, total

    def shortened(self, factor: float) -> Optimal:
        """The same for a part of the time; a bound on an hour holds in less of it too."""
        return replace(self, hours=self.hours * factor)


def _room(country: str, least: int = 0) -> int:
    """How many mobile numbers its plan has to rent; 0 where it cannot be as many as ``least``,
    because to find out takes tenths of a second."""
    try:
        if may_hold(country) < least:
            return 0
        return sum(each.size for each in mobile_ranges(country))
    except ValueError:
        return 0
