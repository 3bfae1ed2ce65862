"""Prices per country: dated data, named after their provider, overridable.

No list knows every destination. A region that a packaged list leaves out is priced by the next
packaged one, a region that your own list leaves out by the dearest of them, and what nobody knows
at the dearest price of all, because a limit in money that guesses low is no limit.
"""

from __future__ import annotations

import csv
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
    }
)

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
    def load(cls, name: str = "appwrite-2025") -> PriceTable:
        """One of the packaged lists: ``aws-2022``, ``appwrite-2025`` or ``alibaba-2025``.

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
    columns = [column, *(other for other, *_ in PACKAGED.values() if other != column)]
    usd: dict[str, float] = {}
    with files("pumpguard.data").joinpath("sms_prices.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            usd[row["iso"]] = float(next(row[c] for c in columns if row[c]))
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
