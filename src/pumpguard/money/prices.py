"""Prices per country: dated data, named after their provider, overridable.

No list knows every destination. A region that a list leaves out, a packaged one or your own, takes
the dearest price that any packaged list has for it, and what nobody knows the dearest of all,
because a limit in money that guesses low is no limit.
"""

from __future__ import annotations

import csv
import datetime as dates
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

from pumpguard.config import build
from pumpguard.errors import PolicyError
from pumpguard.intake.settings import check_parts
from pumpguard.money.price_list import PriceList

PACKAGED: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        "aws-2022": ("aws_2022_usd", "2022-04-03", "AWS price feed, median over carriers"),
        "appwrite-2025": ("appwrite_2025_usd", "2025-02-10", "Appwrite Cloud list prices"),
        "alibaba-2025": (
            "alibaba_2025_usd",
            "2025-03-01",
            "Alibaba Cloud SMS, changed prices only",
        ),
        "appwrite-2026": (
            "appwrite_2026_usd",
            "2026-05-19",
            "Appwrite Cloud list prices, changed prices only",
        ),
    }
)
"""By name: the column in ``data/sms_prices.csv``, the list's date, and whose it is."""

LATER = "aws_later_usd"
"""Single rows of later lists, which are no list by themselves."""

NEWEST = "appwrite-2026"

WARN_ABOVE = 1.5
"""Ratio of a bill to the list, above which it is said. Peru rose from $0.028 (2022) to $0.233
(2026) in AWS's own feed; Appwrite raised 165 of its 189 prices in one month."""

OLD = 365
"""Days after which a list is said to be old: the lists here rose by a fifth within a year (one of
2025-02 beside one of 2026-05, see ``data/README.md``)."""

FILES = (".csv", ".json")

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
    def load(cls, name: str = NEWEST) -> PriceTable:
        """One of the packaged lists: ``appwrite-2026``, ``appwrite-2025``, ``alibaba-2025`` or
        ``aws-2022``.

        Raises `PolicyError` for any other name.
        """
        if name not in PACKAGED:
            known = ", ".join(sorted(PACKAGED))
            raise PolicyError("prices", f"one of {known}, or a .csv or .json file", name)
        return _load(name)

    @classmethod
    def read(cls, path: str | Path, **how: Any) -> PriceTable:
        """Your provider's list from a CSV or JSON file; ``how`` as in `PriceList`.

            PriceTable.read("rates.csv", date="2026-01-31", rates={"EUR": 1.08})

        The columns are found by their names (``tables.py`` has the rules) or named by you. A row
        says where by ISO code, English country name or calling code; of several rows for one
        country, such as one per carrier, the dearest counts. Raises `PolicyError` with the line or
        path of whatever it cannot read; nothing is skipped that is not in ``ignore``.
        """
        return _filled(build(PriceList, {**how, "path": str(path)}, "prices"))

    @classmethod
    def of(cls, prices: str | Mapping[str, object]) -> PriceTable:
        """What a policy's ``prices`` mean: a packaged name, a file, or how to read a file."""
        if isinstance(prices, str):
            return cls.read(prices) if prices.lower().endswith(FILES) else cls.load(prices)
        if "path" not in prices:
            raise PolicyError("prices.path", "a .csv or .json file")
        return _filled(build(PriceList, prices, "prices"))

    def price(self, region: str | None) -> float:
        """USD for one message to ``region``."""
        return self.usd.get(region, self.unknown) if region else self.unknown

    def override(self, usd: Mapping[str, float]) -> PriceTable:
        """The same list with some prices replaced by your own."""
        for region, price in usd.items():
            if not price > 0:
                raise PolicyError(f"price_overrides.{region}", "a price in USD above 0", price)
        return replace(self, usd=MappingProxyType({**self.usd, **usd}))

    def age(self, today: dates.date | None = None) -> int | None:
        """Its age in days, or ``None`` if its date is no ISO date."""
        try:
            made = dates.date.fromisoformat(self.date)
        except ValueError:
            return None
        return ((today or _today()) - made).days

    def times(self, parts: int) -> PriceTable:
        """What messages of so many parts cost: each part is billed."""
        if check_parts(parts) == 1:
            return self
        usd = {region: price * parts for region, price in self.usd.items()}
        return replace(self, usd=MappingProxyType(usd), unknown=self.unknown * parts)


def _today() -> dates.date:
    return datetime.now(UTC).date()


def _filled(how: PriceList) -> PriceTable:
    """A list of your own with the regions it leaves out, at the dearest packaged price."""
    listed = how.read()
    packaged = [_load(name) for name in PACKAGED]
    usd = _shared_plans({place: price for place, price in listed.items() if place[0] != "+"})
    for region in {region for table in packaged for region in table.usd} - usd.keys():
        usd[region] = max(table.price(region) for table in packaged)
    file = Path(how.path)
    date = how.date or datetime.fromtimestamp(file.stat().st_mtime, UTC).date().isoformat()
    unknown = max(*listed.values(), *usd.values())
    name, source = how.name or file.stem, how.source or how.path
    return PriceTable(name, date, source, MappingProxyType(usd), unknown)


@lru_cache(maxsize=len(PACKAGED))
def _load(name: str) -> PriceTable:
    column, date, source = PACKAGED[name]
    columns = [*(each for each, *_ in PACKAGED.values()), LATER]
    usd: dict[str, float] = {}
    with files("pumpguard.data").joinpath("sms_prices.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            dearest = max(float(row[each]) for each in columns if row[each])
            usd[row["iso"]] = float(row[column] or dearest)
    usd = _shared_plans(usd)
    return PriceTable(name, date, source, MappingProxyType(usd), max(usd.values()))


def _shared_plans(usd: Mapping[str, float]) -> dict[str, float]:
    """With the regions that share a calling code: Jersey has no price of its own, but its numbers
    are British ones."""
    shared = dict(usd)
    for calling_code, (main, *others_in_plan) in COUNTRY_CODE_TO_REGION_CODE.items():
        if calling_code != NANP and main in usd:
            for region in others_in_plan:
                shared.setdefault(region, usd[main])
    return shared


def beside(folder: Path, table: dict[str, Any]) -> dict[str, Any]:
    """A price list that a policy's file names stands beside that file."""
    match table.get("prices"):
        case str(path) if path.lower().endswith(FILES):
            return {**table, "prices": str(folder / path)}
        case {"path": str(path), **how}:
            return {**table, "prices": {**how, "path": str(folder / path)}}
    return table
