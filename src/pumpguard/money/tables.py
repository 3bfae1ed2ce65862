"""Takes a provider's price list apart into entries, from CSV or JSON, and guesses nothing.

An entry keeps its line or path, so that a mistake can be pointed at. What a column or field holds
is known by its name: exactly one may hold prices, and at most one currencies.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from pumpguard.errors import PolicyError

DELIMITERS = (",", ";", "\t", "|")

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

SYMBOLS = {"$": "USD", "US$": "USD", "€": "EUR", "£": "GBP", "₹": "INR"}

PRICE_WORDS = frozenset({"price", "rate", "cost", "amount"}) | CURRENCIES
"""One of these words is in the name of the column that says how much; exactly one may be."""

Row: TypeAlias = Mapping[str, Any]


class Columns(NamedTuple):
    """The columns or fields of an entry's facts; what is ``None`` is found by its name."""

    region: str | None = None
    price: str | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One place's price as it was written; a float if it is a number in JSON."""

    where: str
    place: str
    amount: str | float
    currency: str | None


def entries(path: Path, columns: Columns) -> list[Entry]:
    """Every entry of a list. Raises `PolicyError` with the exact line or path."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise PolicyError("prices", f"a readable file ({error.strerror})", str(path)) from None
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise PolicyError(f"{path.name}:{line}", "UTF-8 text") from None
    read = _json_entries if path.suffix.lower() == ".json" else _csv_entries
    found = list(read(path.name, text, columns))
    if not found:
        raise PolicyError(path.name, "at least one price")
    return found


def _csv_entries(name: str, text: str, columns: Columns) -> Iterator[Entry]:
    if "\n" not in text:  # as old spreadsheets on a Mac end lines
        text = text.replace("\r", "\n")
    first = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=lambda sign: len(next(csv.reader([first], delimiter=sign), [])))
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = [title.strip() for title in next(rows, [])]
        region, price, currency, named = _find(f"{name}:1", header, columns)
        start = rows.line_num + 1
        for row in rows:
            where, start = f"{name}:{start}", rows.line_num + 1
            if not any(cell.strip() for cell in row):
                continue
            if len(row) != len(header):
                raise PolicyError(where, f"{len(header)} columns, as in the first line", len(row))
            cells = dict(zip(header, row, strict=True))
            unit = cells[currency] if currency else named
            yield Entry(where, cells[region], cells[price], unit)
    except csv.Error as error:
        raise PolicyError(f"{name}:{rows.line_num}", f"CSV ({error})") from None


def _json_entries(name: str, text: str, columns: Columns) -> Iterator[Entry]:
    try:
        parsed = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise PolicyError(f"{name}:{error.lineno}", f"JSON ({error.msg})") from None
    except (ValueError, RecursionError) as error:
        raise PolicyError(name, f"JSON ({error or 'nested too deeply'})") from None
    for where, common, own in _json_rows(name, parsed):
        if not isinstance(own, dict):
            raise PolicyError(where, "an object", own)
        yield from _row_entries(where, {**common, **own}, columns)


def _json_rows(name: str, parsed: Any) -> Iterator[tuple[str, Row, Any]]:
    """Path, common fields and own fields of the rows of a list, of the only list in an object, or
    of a table by place."""
    common: Row = {}
    if isinstance(parsed, dict):
        lists = [key for key, value in parsed.items() if isinstance(value, list)]
        if len(lists) != 1:
            for place, value in parsed.items():
                own = {"price": value} if isinstance(value, str | int | float) else value
                yield f"{name}: {place}", {"iso": place}, own
            return
        common = {key: value for key, value in parsed.items() if _holds_currency(key)}
        name, parsed = f"{name}: {lists[0]}", parsed[lists[0]]
    if not isinstance(parsed, list):
        raise PolicyError(name, "a list of objects, or an object of prices by country", parsed)
    for i, row in enumerate(parsed):
        yield f"{name}[{i}]", common, row


def _row_entries(where: str, row: Row, columns: Columns) -> Iterator[Entry]:
    titles = [key for key, value in row.items() if not isinstance(value, dict | list)]
    titles += [path for path in columns if path and "." in path]
    region, price, currency, named = _find(where, titles, columns)
    place = _text(where, region, row)
    unit = _text(where, currency, row) if currency else named
    amounts = list(_at(where, row, price.split(".")))
    if not amounts:
        raise PolicyError(f"{where}.{price}", "a price")
    for spot, amount in amounts:
        number = isinstance(amount, int | float) and not isinstance(amount, bool)
        if not isinstance(amount, str) and not (number and abs(amount) < 1e300):
            raise PolicyError(spot, "a price", amount)
        yield Entry(spot, place, float(amount) if number else amount, unit)


def _at(where: str, value: Any, path: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """The values at a dotted path, in every item of the lists on the way, with their own paths."""
    if isinstance(value, list):
        for i, item in enumerate(value):
            yield from _at(f"{where}[{i}]", item, path)
    elif not path:
        yield where, value
    elif isinstance(value, dict) and path[0] in value:
        yield from _at(f"{where}.{path[0]}", value[path[0]], path[1:])
    else:
        raise PolicyError(where, f"a field {path[0]!r}")


def _text(where: str, name: str, row: Row) -> str:
    found = [value for _, value in _at(where, row, name.split("."))]
    if len(found) != 1 or not isinstance(found[0], str | int) or isinstance(found[0], bool):
        raise PolicyError(f"{where}.{name}", "text", found)
    return str(found[0])


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for key, value in pairs:
        if key in table:
            raise ValueError(f"the field {key!r} occurs twice in one object")
        table[key] = value
    return table


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number")


def _find(
    where: str, titles: Sequence[str], columns: Columns
) -> tuple[str, str, str | None, str | None]:
    """Which titles say where, how much and in what currency, and the currency that the price's own
    title names, as ``Price (EUR)`` does."""
    for title in titles:
        if titles.count(title) > 1:
            raise PolicyError(where, "every column to have a name of its own", title)
    for wanted in columns:
        if wanted is not None and wanted not in titles:
            raise PolicyError(where, f"a column {wanted!r}", ", ".join(titles))
    region = columns.region or _region_title(where, titles)
    others = [title for title in titles if title != region]
    units = [t for t in others if _holds_currency(t) and t != columns.price]
    currency = columns.currency or _only_one(where, "currency", units)
    prices = [t for t in others if t != currency and _words(t) & PRICE_WORDS]
    price = columns.price or _only_one(where, "price", prices)
    if price is None:
        expected = f"a column with one of the words {', '.join(sorted(PRICE_WORDS))}, or price="
        raise PolicyError(where, expected, ", ".join(titles))
    named = {word.upper() for word in _words(price) & CURRENCIES}
    named |= {unit for symbol, unit in SYMBOLS.items() if symbol in price}
    if currency is None and len(named) > 1:
        raise PolicyError(where, "one currency in the name of the price, or currency=", price)
    return region, price, currency, next(iter(named), None)


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


def _holds_currency(title: str) -> bool:
    return "currency" in _words(title) or _plain(title) == "priceunit"


def _plain(title: str) -> str:
    return re.sub(r"[^a-z0-9]", "", title.casefold())


def _words(title: str) -> set[str]:
    return set(re.findall(r"[a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", title).casefold()))
