"""Caps per country and day as Authgear ships them: 50 for the riskiest, 100 for most, an hour's
worth a sixth of it, raised to what is usual.

A country's usual day is known to it from the first request on, which a real one would have to
learn in 14 days; countries where most users are at home have no cap, as in Authgear's low tier.
"""

from __future__ import annotations

from collections.abc import Iterable

import phonenumbers

from ...countries import ABROAD, HOME, HOME_SHARE
from ...targets import AsgiApp
from .limits import DAY, HOUR, Asked, Limit, Limits

RISKY = frozenset(
    (
        *("AZ", "BD", "CU", "DZ", "IL", "IR", "LK"),
        *("NG", "OM", "PK", "PS", "SY", "TJ", "TN"),
    )
)
"""Authgear's own list."""

RISKY_LEAST, OTHERS_LEAST = 50, 100
HOURS = 6
"""The hour's cap is the day's divided by this."""


class CountryCap(Limits):
    """Refuses a country that has had its day's or its hour's worth."""

    def __init__(self, app: AsgiApp, users: int) -> None:
        super().__init__(app)
        self._users = users

    def limits(self, asked: Asked) -> Iterable[Limit]:
        """The caps of the number's country."""
        code = phonenumbers.parse(asked.phone)
        country = phonenumbers.region_code_for_number(code) or f"+{code.country_code}"
        if country in HOME:
            return ()
        day = cap(country, self._users)
        return (Limit(country, day, DAY), Limit(country, max(1, day // HOURS), HOUR))


def cap(country: str, users: int) -> int:
    """Messages a day: the usual number in risky countries, twice that in others, or the least."""
    weights = sum(each.weight for each in ABROAD.values())
    weight = ABROAD[country].weight if country in ABROAD else 0.0
    usual = users * (1 - HOME_SHARE) * weight / weights
    return round(max(RISKY_LEAST, usual) if country in RISKY else max(OTHERS_LEAST, 2 * usual))
