"""Many dear countries at once, a little to each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice

from pumpguard.money.prices import PriceTable

from .. import addresses
from ..clock import HOUR
from ..numbering import mobile_number, mobile_ranges
from .base import Attack, Ground, Shot


@dataclass(frozen=True)
class CountrySpray:
    """Numbers all over the dearest countries, the dearer the more, each country far below any cap.

    10 to 40 countries with weights by price is what is left to whoever meets a limit per country;
    Twitter named 390 operators with more than 10 % of fraud. GitLab's rules about "low-traffic
    countries" look at each country by itself. An address of the number's own country asks for it;
    solutions are bought.
    """

    countries: int = 25
    rate: float = 1.5
    seconds: float = 3_600.0
    addresses: int = 40
    """Per country."""
    starts: float = 3 * HOUR
    name: str = "country_spray"

    def plan(self, ground: Ground) -> Attack:
        """Draw a country by its price, then one of its numbers and one of the addresses there."""
        prices = dict(self.dearest())
        proxies = {
            country: [addresses.residential(country, ground.rng) for _ in range(self.addresses)]
            for country in prices
        }
        shots: list[Shot] = []
        phones: set[str] = set(ground.owned)
        for n in range(round(self.rate * self.seconds)):
            (country,) = ground.rng.choices(list(prices), list(prices.values()))
            while (phone := mobile_number(country, ground.rng)) in phones:
                pass
            phones.add(phone)
            shots.append(Shot(n / self.rate, phone, ground.rng.choice(proxies[country])))
        return Attack(self.name, "Country spray", self.starts, tuple(shots), buys_solutions=True)

    def dearest(self) -> list[tuple[str, float]]:
        """The dearest countries that have numbers and addresses to rent, with their prices."""
        usd = PriceTable.load().usd
        ranked = sorted(usd, key=lambda country: (-usd[country], country))
        found = islice(filter(_has_both, ranked), self.countries)
        return [(country, usd[country]) for country in found]

    def shortened(self, factor: float) -> CountrySpray:
        """The same rate for a part of the time."""
        return replace(self, seconds=self.seconds * factor)


def _has_both(country: str) -> bool:
    try:
        mobile_ranges(country)
    except ValueError:
        return False
    return country in addresses.known_countries()
