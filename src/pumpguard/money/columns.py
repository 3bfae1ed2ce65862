"""Which column or field of a price list says where, how much and in what currency."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pumpguard.errors import PolicyError

PLACE_NAMES = (
    "iso", "isocode", "iso2", "isocountry", "isocountrycode", "countryiso", "countryisocode",
    "alpha2", "region", "regioncode", "country", "countryname", "destination",
    "destinationcountry", "name", "callingcode", "dialcode", "dialingcode", "diallingcode",
    "phonecode", "countrycode", "prefix", "code",
)  # fmt: skip
"""What a column or field that says where is called, letters and digits only; the first counts."""

CURRENCIES = frozenset(
    (
        "usd", "eur", "gbp", "inr", "aud", "brl", "cad", "chf", "cny", "dkk", "hkd", "idr", "ils",
        "jpy", "krw", "mxn", "myr", "nok", "nzd", "php", "pln", "sar", "sek", "sgd", "thb", "try",
        "twd", "zar", "aed", "ngn", "kes",
    )
)  # fmt: skip
"""Codes that are recognised in the name of a column; any is in a column of its own."""

SIGNS = {"$": "USD", "€": "EUR", "£": "GBP"}

PRICE_WORDS = frozenset({"price", "rate", "cost", "amount"}) | CURRENCIES
"""One of these words is in the name of the column that says how much; exactly one may be."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Where an entry's facts stand; what is ``None`` is found by the rules above."""

    region: str | None = None
    price: str | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The same, found."""

    region: str
    price: str
    currency: str | None


def find_columns(where: str, titles: Sequence[str], columns: Columns) -> Found:
    """Which titles say where, how much and in what currency."""
    for title in titles:
        if titles.count(title) > 1:
            raise PolicyError(where, "every column to have a name of its own", title)
    for wanted in (columns.region, columns.price, columns.currency):
        if wanted is not None and wanted not in titles:
            raise PolicyError(where, f"a column {wanted!r}", ", ".join(titles))
    region = columns.region or _region_title(where, titles)
    others = [title for title in titles if title != region]
    currency = columns.currency or _only_one(
        where, "currency", [t for t in others if names_currency(t) and t != columns.price]
    )
    priced = [title for title in others if title != currency and _words(title) & PRICE_WORDS]
    price = columns.price or _only_one(where, "price", priced)
    if price is None:
        expected = f"a column with one of the words {', '.join(sorted(PRICE_WORDS))}, or price="
        raise PolicyError(where, expected, ", ".join(titles))
    if currency is None and len(_currencies(price)) > 1:
        raise PolicyError(where, "one currency in the name of the price, or currency=", price)
    return Found(region, price, currency)


def _region_title(where: str, titles: Sequence[str]) -> str:
    plain = {_plain(title): title for title in reversed(titles)}
    for name in PLACE_NAMES:
        if name in plain:
            return plain[name]
    expected = f"a column named one of {', '.join(PLACE_NAMES)}, or region="
    raise PolicyError(where, expected, ", ".join(titles))


def _only_one(where: str, what: str, titles: Sequence[str]) -> str | None:
    if len(titles) > 1:
        raise PolicyError(where, f"one column for the {what}, or {what}=", ", ".join(titles))
    return titles[0] if titles else None


def names_currency(title: str) -> bool:
    """Whether a column of this name holds currencies."""
    return "currency" in _words(title) or _plain(title) == "priceunit"


def currency_in(title: str) -> str | None:
    """The currency that a price's own name names, as ``Price (EUR)`` does."""
    return next(iter(_currencies(title)), None)


def _currencies(title: str) -> set[str]:
    words = {word.upper() for word in _words(title) & CURRENCIES}
    return words | {currency for sign, currency in SIGNS.items() if sign in title}


def _plain(title: str) -> str:
    return re.sub(r"[^a-z0-9]", "", title.casefold())


def _words(title: str) -> set[str]:
    return set(re.findall(r"[a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", title).casefold()))
