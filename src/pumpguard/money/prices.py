"""Prices per country: dated data, named after their provider, overridable.

No list knows every destination. A region that a list leaves out is priced by the other packaged
list, and failing that at the dearest price known, because a limit in money that guesses low is no
limit.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

from pumpguard.errors import PolicyError

PACKAGED: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        "aws-2022": ("aws_2022_usd", "2022-04-03", "AWS price feed, median over carriers"),
        "appwrite-2025": ("appwrite_2025_usd", "2025-02-10", "Appwrite Cloud list prices"),
    }
)

NANP = 1
"""The North American plan holds two dozen countries at very different prices."""


@dataclass(frozen=True, slots=True)
class PriceTable:
    """USD per message by ISO 3166 region, with the list's ``name``, ``date`` and ``source``."""

    name: str
    date: str
    source: str
    usd: Mapping[str, float]
    unknown: float

    @classmethod
    def load(cls, name: str = "appwrite-2025") -> PriceTable:
        """One of the packaged lists: ``aws-2022`` or ``appwrite-2025``.

        Raises `PolicyError` for any other name.
        """
        if name not in PACKAGED:
            raise PolicyError("prices", f"one of {', '.join(sorted(PACKAGED))}", name)
        return _load(name)

    def price(self, region: str | None) -> float:
        """USD for one message to ``region``."""
        return self.usd.get(region, self.unknown) if region else self.unknown

    def override(self, usd: Mapping[str, float]) -> PriceTable:
        """The same list with some prices replaced by your own."""
        for region, price in usd.items():
            if not price > 0:
                raise PolicyError(f"price_overrides.{region}", "a price in USD above 0", price)
        merged = MappingProxyType({**self.usd, **usd})
        return PriceTable(self.name, self.date, self.source, merged, self.unknown)


@lru_cache(maxsize=len(PACKAGED))
def _load(name: str) -> PriceTable:
    column, date, source = PACKAGED[name]
    others = [other for other, *_ in PACKAGED.values() if other != column]
    usd: dict[str, float] = {}
    with files("pumpguard.data").joinpath("sms_prices.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            known = [row[c] for c in (column, *others) if row[c]]
            if known:
                usd[row["iso"]] = float(known[0])
    unknown = max(usd.values())
    for calling_code, (main, *others_in_plan) in COUNTRY_CODE_TO_REGION_CODE.items():
        # Jersey has no price of its own, but its numbers are British ones.
        if calling_code != NANP and main in usd:
            for region in others_in_plan:
                usd.setdefault(region, usd[main])
    return PriceTable(name, date, source, MappingProxyType(usd), unknown)
