"""Takes a provider's price list apart into entries, from CSV or JSON, and guesses nothing.

An entry keeps its line or path, so that a mistake can be pointed at.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from pumpguard.errors import PolicyError
from pumpguard.money.columns import Columns, currency_in, find_columns, names_currency

DELIMITERS = (",", ";", "\t", "|")

Row: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """One place's price as it was written; a number is one that JSON has read already."""

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
    first = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=lambda sign: len(next(csv.reader([first], delimiter=sign), [])))
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = [title.strip() for title in next(rows, [])]
        at = find_columns(f"{name}:1", header, columns)
        start = rows.line_num + 1
        for row in rows:
            where, start = f"{name}:{start}", rows.line_num + 1
            if not any(cell.strip() for cell in row):
                continue
            if len(row) != len(header):
                raise PolicyError(where, f"{len(header)} columns, as in the first line", len(row))
            cells = dict(zip(header, row, strict=True))
            currency = cells[at.currency] if at.currency else currency_in(at.price)
            yield Entry(where, cells[at.region], cells[at.price], currency)
    except csv.Error as error:
        raise PolicyError(f"{name}:{rows.line_num}", f"CSV ({error})") from None


def _json_entries(name: str, text: str, columns: Columns) -> Iterator[Entry]:
    try:
        parsed = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise PolicyError(f"{name}:{error.lineno}", f"JSON ({error.msg})") from None
    except (ValueError, RecursionError) as error:
        raise PolicyError(name, f"JSON ({error or 'nested too deeply'})") from None
    for where, row in _json_rows(name, parsed):
        yield from _row_entries(where, row, columns)


def _json_rows(name: str, parsed: Any) -> Iterator[tuple[str, Row]]:
    """Objects of a list, of the only list in an object, or of a table by place."""
    shared: Row = {}
    if isinstance(parsed, dict):
        lists = [key for key, value in parsed.items() if isinstance(value, list)]
        if len(lists) != 1:
            yield from _json_table(name, parsed)
            return
        shared = {key: value for key, value in parsed.items() if names_currency(key)}
        name, parsed = f"{name}: {lists[0]}", parsed[lists[0]]
    if not isinstance(parsed, list):
        raise PolicyError(name, "a list of objects, or an object of prices by country", parsed)
    for i, row in enumerate(parsed):
        yield f"{name}[{i}]", {**shared, **_an_object(f"{name}[{i}]", row)}


def _json_table(name: str, parsed: Row) -> Iterator[tuple[str, Row]]:
    for place, value in parsed.items():
        where = f"{name}: {place}"
        row = {"price": value} if isinstance(value, str | int | float) else value
        yield where, {"iso": place, **_an_object(where, row)}


def _row_entries(where: str, row: Row, columns: Columns) -> Iterator[Entry]:
    titles = [key for key, value in row.items() if not isinstance(value, dict | list)]
    named = (columns.region, columns.price, columns.currency)
    at = find_columns(where, [*titles, *(path for path in named if path and "." in path)], columns)
    place = _one(where, at.region, row)
    currency = _one(where, at.currency, row) if at.currency else currency_in(at.price)
    amounts = list(_at(where, row, at.price.split(".")))
    if not amounts:
        raise PolicyError(f"{where}.{at.price}", "a price")
    for spot, amount in amounts:
        if isinstance(amount, bool) or not isinstance(amount, str | int | float):
            raise PolicyError(spot, "a price", amount)
        exact = amount if isinstance(amount, str) else _float(spot, amount)
        yield Entry(spot, place, exact, currency)


def _at(where: str, value: Any, path: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """What stands at a dotted path, in every item of the lists on the way."""
    if isinstance(value, list):
        for i, item in enumerate(value):
            yield from _at(f"{where}[{i}]", item, path)
    elif not path:
        yield where, value
    elif isinstance(value, dict) and path[0] in value:
        yield from _at(f"{where}.{path[0]}", value[path[0]], path[1:])
    else:
        raise PolicyError(where, f"a field {path[0]!r}")


def _one(where: str, name: str, row: Row) -> str:
    found = list(_at(where, row, name.split(".")))
    if len(found) != 1 or not isinstance(found[0][1], str | int) or isinstance(found[0][1], bool):
        raise PolicyError(f"{where}.{name}", "text", [value for _, value in found])
    return str(found[0][1])


def _float(where: str, number: float) -> float:
    try:
        return float(number)
    except OverflowError:
        raise PolicyError(where, "a price", "a number beyond all bounds") from None


def _an_object(where: str, row: object) -> Row:
    if not isinstance(row, dict):
        raise PolicyError(where, "an object", row)
    return row


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        twice = next(key for key, _ in pairs if sum(key == other for other, _ in pairs) > 1)
        raise ValueError(f"the field {twice!r} occurs twice in one object")
    return table


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number")
