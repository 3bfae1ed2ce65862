"""The values of bodies and queries, of which only those that are read have to be unambiguous.

Parsers differ about repeated names, NaN, lone surrogates and bytes that are no UTF-8. None of them
matters until somebody reads the value they stand in: then the request is refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any
from urllib.parse import parse_qsl

from pumpguard.errors import IntakeError

MAX_FIELDS = 1_000
"""Of a form or a query, as in starlette."""


class Values(dict[str, Any]):
    """Names and values, of which some ``refused`` names have no one value: to read one of those,
    or to go through all, raises `IntakeError`. Where there are none of those, a plain `dict` is
    made instead."""

    def __init__(
        self, pairs: Sequence[tuple[str, Any]], refused: Collection[str], what: str
    ) -> None:
        super().__init__(pairs)
        self._refused = refused
        self._what = what

    def __getitem__(self, key: str) -> Any:
        if key in self._refused:
            raise ambiguous(self._what)
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        """As of any mapping, if the name has one value."""
        if key in self._refused:
            raise ambiguous(self._what)
        return super().get(key, default)

    def items(self) -> Any:
        """None: not each of them has one value."""
        raise ambiguous(self._what)

    values = items


class Constant(float):
    """``NaN`` or ``Infinity``, which are no JSON but read by some."""


def sound(value: object) -> object:
    """The value, unless programs read it differently: then raises `IntakeError`."""
    if isinstance(value, str):
        if value.isascii():
            return value
        if any("\ud800" <= sign <= "\udfff" for sign in value):
            raise IntakeError(400, "bad-text", "Malformed text", "A field is no text in UTF-8.")
    elif isinstance(value, Constant):
        raise malformed_json()
    elif isinstance(value, list):
        for item in value:
            sound(item)
    return value


def pairs(raw: bytes, what: str, *, semicolons: bool = False) -> dict[str, str]:
    """The fields of a form or a query, ``what``. With ``semicolons``, names that a program which
    takes ``;`` for ``&`` would read otherwise are refused when they are read."""
    text = raw.decode("ascii", "surrogateescape")
    found = _split(text, what)
    names = [name for name, _ in found]
    refused = repeated(names) if len(set(names)) < len(names) else set()
    if semicolons and ";" in text:
        other = _split(text.replace(";", "&"), what)
        refused |= {name for name, _ in set(found) ^ set(other)}
        refused |= repeated([name for name, _ in other])
    return Values(found, refused, what) if refused else dict(found)


def _split(text: str, what: str) -> list[tuple[str, str]]:
    try:
        found = parse_qsl(
            text, keep_blank_values=True, errors="surrogateescape", max_num_fields=MAX_FIELDS
        )
    except ValueError:  # too many fields
        raise malformed_form(what) from None
    for name, _ in found:  # a program that leaves out what is no UTF-8 would read another name
        if not name.isascii() and any("\ud800" <= sign <= "\udfff" for sign in name):
            raise malformed_form(what)
    return found


def repeated(names: Sequence[str]) -> set[str]:
    """Those that stand there more than once."""
    return {name for name, times in Counter(names).items() if times > 1}


def ambiguous(what: str) -> IntakeError:
    """The refusal of something, ``what``, that has more than one value."""
    detail = f"A {what} is given more than once."
    return IntakeError(400, "ambiguous-request", "Ambiguous request", detail)


def malformed_json() -> IntakeError:
    """The refusal of what is no JSON."""
    detail = "The request body is not well-formed JSON in UTF-8."
    return IntakeError(400, "bad-json", "Malformed JSON", detail)


def malformed_form(what: str = "form field") -> IntakeError:
    """The refusal of a form that is none."""
    return IntakeError(400, "bad-form", "Malformed form", f"A {what} cannot be read.")
