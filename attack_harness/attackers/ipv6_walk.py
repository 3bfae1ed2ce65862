"""One rented IPv6 block, every request from a network of its own, to forty countries."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..clock import HOUR
from ..numbering import mobile_number
from .base import Attack, Ground, Shot
from .country_spray import CountrySpray


@dataclass(frozen=True)
class Ipv6Walk:
    """A /48 of a home country's access provider, walked /64 by /64, over the dearest countries.

    A /48 is what providers assign to a customer (RFC 6177), and holds 65,536 networks: limits per
    address never see one twice, and each country stays far below any cap. No solution is bought:
    the proxies are free.
    """

    site: str = "2a00:23c5:8ad1"
    countries: int = 40
    rate: float = 1.0
    seconds: float = 3_600.0
    starts: float = 2 * HOUR
    name: str = "ipv6_walk"

    def plan(self, ground: Ground) -> Attack:
        """Go round the countries, the next network for each request."""
        around = [country for country, _ in CountrySpray(countries=self.countries).dearest()]
        shots: list[Shot] = []
        phones: set[str] = set(ground.owned)
        for n in range(round(self.rate * self.seconds)):
            while (phone := mobile_number(around[n % len(around)], ground.rng)) in phones:
                pass
            phones.add(phone)
            shots.append(Shot(n / self.rate, phone, f"{self.site}:{n % 2**16:x}::1"))
        return Attack(self.name, "Walk over an IPv6 /48", self.starts, tuple(shots), proxy_cost=0.0)

    def shortened(self, factor: float) -> Ipv6Walk:
        """The same rate for a part of the time."""
        return replace(self, seconds=self.seconds * factor)
