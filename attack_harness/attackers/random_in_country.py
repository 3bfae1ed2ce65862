"""Random digits behind one country's calling code, whoever may own them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import phonenumbers
from phonenumbers import PhoneNumberType

from .. import addresses
from ..clock import HOUR
from .base import Attack, Ground, Shot


@dataclass(frozen=True)
class RandomInCountry:
    """Uniformly random numbers of the right length: many are in ranges that nobody was given.

    The attack on djob195's users: random numbers of one country whose validity the victim could
    not check, a large volume per minute, out of hours. No two numbers are near each other. The
    provider charges for what no handset receives as well.
    """

    country: str = "NG"
    rate: float = 5.0
    seconds: float = 1_200.0
    addresses: int = 200
    starts: float = 4 * HOUR
    name: str = "random_in_country"

    def plan(self, ground: Ground) -> Attack:
        """Draw distinct numbers as long as the country's mobile numbers."""
        proxies = [addresses.residential(self.country, ground.rng) for _ in range(self.addresses)]
        phones: dict[str, None] = {}
        while len(phones) < round(self.rate * self.seconds):
            phone = self._number(ground)
            if phone not in ground.owned:
                phones[phone] = None
        shots = tuple(
            Shot(n / self.rate, phone, ground.rng.choice(proxies)) for n, phone in enumerate(phones)
        )
        return Attack(self.name, "Random in country", self.starts, shots)

    def _number(self, ground: Ground) -> str:
        example = phonenumbers.example_number_for_type(self.country, PhoneNumberType.MOBILE)
        assert example is not None  # noqa: S101
        digits = len(str(example.national_number))
        # A first 0 would be a trunk prefix, and the number would be shorter than it looks.
        number = ground.rng.randrange(10 ** (digits - 1), 10**digits)
        return f"+{example.country_code}{number}"

    def shortened(self, factor: float) -> RandomInCountry:
        """The same rate for a part of the time."""
        return replace(self, seconds=self.seconds * factor)
