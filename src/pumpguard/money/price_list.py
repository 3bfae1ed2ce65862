"""Your provider's own price list, from a CSV or JSON file, in USD by region."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, SUPPORTED_REGIONS, PhoneMetadata

from pumpguard.config import check
from pumpguard.errors import PolicyError
from pumpguard.money.tables import SYMBOLS, Columns, Entry, entries

NOWHERE = "001"
"""What the numbering plan calls codes that belong to no country: satellite, freephone."""

CALLING_CODE = re.compile(r"(?:\+|00)? ?([1-9][0-9 \-]{0,11})")
FILLERS = frozenset({"the", "and", "of", "islands", "island", "st", "saint"})

DEAREST = 100.0
"""USD per message above which a price is taken for a mistake, such as cents read as dollars."""

AMOUNT = re.compile(
    r"(?P<before>US\$|[$€£₹]|[A-Za-z]{3})?\s*(?P<digits>[0-9.,'’\s]*[0-9])\s*(?P<after>[$€£₹]|[A-Za-z]{3})?"
)
GROUPING = {".": ",", ",": "."}
"""By decimal sign, the one that then groups thousands; apostrophes and spaces group beside both."""

NUMBER = {
    decimal: re.compile(
        rf"([0-9]*|(?!0+[{group}])[0-9]{{1,3}}([{group}'])[0-9]{{3}}(\2[0-9]{{3}})*)"
        rf"([{decimal}][0-9]+)?"
    )
    for decimal, group in GROUPING.items()
}


@dataclass(frozen=True, slots=True)
class Amount:
    """A price: its value by each decimal sign with which it can be read, and the currency that is
    written beside it, if any. ``1,234`` can be read with both."""

    values: Mapping[str, float]
    currency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceList:
    """Where a list is, and how to read it; what is not given is found by clear rules.

    ``region``, ``price`` and ``currency`` name the column or (dotted, in JSON) the field of each;
    ``in_currency`` is the currency of prices that name none. ``rates`` are USD per unit of other
    currencies. ``decimal`` is the decimal sign, found from the whole column unless it could be
    read both ways. Rows whose place is in ``ignore`` are left out. ``name``, ``date`` and
    ``source`` are those of the file itself unless given.
    """

    path: str
    name: str = ""
    date: str = ""
    source: str = ""
    region: str | None = None
    price: str | None = None
    currency: str | None = None
    in_currency: str = "USD"
    rates: Mapping[str, float] = field(default_factory=dict)
    decimal: Literal[".", ","] | None = None
    ignore: Sequence[str] = ()

    def __post_init__(self) -> None:
        check(self, "prices")
        for currency, rate in self.rates.items():
            if not 0 < rate < float("inf"):
                raise PolicyError(f"prices.rates.{currency}", "USD per unit, above 0", rate)
        if self.date:
            try:
                date.fromisoformat(self.date)
            except ValueError:
                raise PolicyError("prices.date", "a date such as '2026-01-31'", self.date) from None

    def read(self) -> dict[str, float]:
        """USD by region, or by calling code of no country such as ``+870``; of several rows for
        one, the dearest. Raises `PolicyError` with the exact line or path of the first mistake."""
        columns = Columns(self.region, self.price, self.currency)
        found = [e for e in entries(Path(self.path), columns) if e.place.strip() not in self.ignore]
        amounts = [read_amount(entry) for entry in found]
        decimal = self.decimal or _decimal_sign(found, amounts)
        usd: dict[str, float] = {}
        for entry, amount in zip(found, amounts, strict=True):
            price = self._usd(entry, amount, decimal)
            regions = places(entry.place)
            if not regions:
                expected = "an ISO region, a country's English name or a calling code"
                raise PolicyError(entry.where, f"{expected} (or name it in ignore)", entry.place)
            for region in regions:
                usd[region] = max(price, usd.get(region, 0.0))
        return usd

    def _usd(self, entry: Entry, amount: Amount, decimal: str) -> float:
        unit = (entry.currency or "").strip()
        column = SYMBOLS.get(unit, unit.upper())
        if amount.currency and column and amount.currency != column:
            expected = f"one currency, not {amount.currency} in {column}"
            raise PolicyError(entry.where, expected, entry.amount)
        currency = amount.currency or column or self.in_currency.upper()
        rate = 1.0 if currency == "USD" else self.rates.get(currency)
        if rate is None:
            raise PolicyError(entry.where, f"USD, or a rate in rates.{currency}", currency)
        number = amount.values.get(decimal)
        if number is None or not 0 < number * rate <= DEAREST:
            expected = f"a price above 0 and at most {DEAREST:g} USD (decimal sign {decimal!r})"
            raise PolicyError(entry.where, expected, entry.amount)
        return number * rate


def read_amount(entry: Entry) -> Amount:
    """The price of an entry: ``$ 0.0079``, ``0,05 €``, ``1.234,50``. Raises `PolicyError`."""
    if isinstance(entry.amount, float):
        return Amount(dict.fromkeys(GROUPING, entry.amount))
    found = AMOUNT.fullmatch(entry.amount.strip()) if len(entry.amount) <= 64 else None
    values = {}
    if found and not (found["before"] and found["after"]):
        digits = re.sub(r"[’\s]", "'", found["digits"])
        for decimal, group in GROUPING.items():
            if NUMBER[decimal].fullmatch(digits):
                plain = digits.replace(group, "").replace("'", "")
                values[decimal] = float(plain.replace(decimal, "."))
    if not found or not values:
        raise PolicyError(entry.where, "a price such as 0.0079", entry.amount)
    unit = found["before"] or found["after"]
    return Amount(values, SYMBOLS.get(unit, unit.upper()) if unit else None)


def _decimal_sign(found: Sequence[Entry], amounts: Sequence[Amount]) -> str:
    """The only decimal sign with which every amount of a column can be read."""
    possible = set(GROUPING)
    for entry, amount in zip(found, amounts, strict=True):
        possible &= amount.values.keys()
        if not possible:
            raise _undecided(entry)
    if len(possible) == 1:
        return possible.pop()
    for entry, amount in zip(found, amounts, strict=True):
        if len(set(amount.values.values())) > 1:
            raise _undecided(entry)
    return "."


def _undecided(entry: Entry) -> PolicyError:
    expected = "one decimal sign, '.' or ',', in the whole list, or decimal="
    return PolicyError(entry.where, expected, entry.amount)


def places(text: str) -> tuple[str, ...]:
    """The ISO 3166 regions that ``text`` means; empty if it means none that is known.

    Two letters are an ISO code, digits a calling code with or without the first digits of a range
    (``1246`` is Barbados, ``44`` everywhere that shares it, ``1`` the US and Canada), and anything
    else an English name. Codes that belong to no country, such as ``+870``, stay as they are.
    """
    text = text.strip()
    if len(text) == 2 and text.isascii() and text.isalpha() and text.upper() in SUPPORTED_REGIONS:
        return (text.upper(),)
    digits = CALLING_CODE.fullmatch(text)
    if digits:
        return _by_calling_code(re.sub(r"[ \-]", "", digits[1]))
    iso = _names().get(_key(text))
    return (iso,) if iso else ()


def _by_calling_code(digits: str) -> tuple[str, ...]:
    for length in (1, 2, 3):
        code, rest = digits[:length], digits[length:]
        regions = COUNTRY_CODE_TO_REGION_CODE.get(int(code), ())
        if regions == (NOWHERE,):
            return (f"+{code}",)
        if regions:
            in_range = tuple(region for region in regions if rest and _begins(region, rest))
            if code == "1":
                return in_range or (("US",) if rest else ("US", "CA"))
            return in_range or regions
    return ()


def _begins(region: str, rest: str) -> bool:
    """Whether numbers of the region, which shares its calling code, begin with these digits."""
    metadata = PhoneMetadata.metadata_for_region(region)
    leading = metadata.leading_digits if metadata else None
    return leading is not None and re.match(leading, rest) is not None


@cache
def _names() -> Mapping[str, str]:
    with files("pumpguard.data").joinpath("country_names.csv").open(encoding="utf-8") as lines:
        return {_key(row["name"]): row["iso"] for row in csv.DictReader(lines)}


@cache
def _key(name: str) -> str:
    """The same for every order, case, accent and filler: ``Korea (South)`` is ``South Korea``."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().casefold()
    words = re.findall(r"[a-z]+", plain.replace("'", "").replace(".", "").replace("&", " "))
    return " ".join(sorted(word for word in words if word not in FILLERS) or words)
