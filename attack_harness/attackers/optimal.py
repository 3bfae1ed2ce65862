"""The attacker who has read the policy, and wants all the money that it leaves him."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil

from pumpguard.money.exposure import exposure

from pumpguard import Policy

from .. import addresses
from ..clock import HOUR
from ..numbering import mobile_number, mobile_ranges
from .base import Ground, Shot
from .verifying import VerifyingAttack

SENDS = 3
"""Per number: a known number may spend what is reserved for customers."""

SPARE = 1.5
"""Times as many numbers as should do: some blocks will be full."""


@dataclass(frozen=True)
class Optimal:
    """Plays against the bound that `pumpguard.money.exposure` prints.

    He picks the dearest country that no narrower limit protects, numbers of his own spread over
    all its ranges, and a residential address of that country for each. He solves every challenge,
    enters every code as a person would (which pays back his credit, and makes his numbers known)
    and then asks again with the numbers that are known.
    """

    policy: Policy
    hours: float = 1.0
    starts: float = 2 * HOUR
    name: str = "optimal"

    def plan(self, ground: Ground) -> VerifyingAttack:
        """Enough requests, evenly over the time, to spend the bound."""
        country, price, bound = self.aim()
        wanted = ceil(bound * SPARE / price / SENDS)
        every = self.hours * HOUR * 0.9 / wanted
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
        )

    def aim(self) -> tuple[str, float, float]:
        """Where to: the country, its price, and the bound on the whole attack in USD."""
        bound = exposure(self.policy)
        total = bound.hour.usd if self.hours <= 1 else bound.day.usd
        for country in sorted(bound.countries, key=lambda c: (-c.hour.usd, -c.price)):
            if country.country in addresses.known_countries() and _reachable(country.country):
                return country.country, country.price, total
        raise ValueError("no country can be attacked under this policy")

    def shortened(self, factor: float) -> Optimal:
        """The same for a part of the time; a bound on an hour holds in less of it too."""
        return replace(self, hours=self.hours * factor)


def _reachable(country: str) -> bool:
    """Whether its numbering plan has whole ranges of mobile numbers to rent."""
    try:
        return bool(mobile_ranges(country))
    except ValueError:
        return False
