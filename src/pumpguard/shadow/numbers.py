"""Telephone numbers among the arguments of a function that sends, as its app spells them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from pumpguard.attempt import Phone
from pumpguard.errors import IntakeError
from pumpguard.intake.phone import canonical

NUMBER = re.compile(r"(?:[a-z]+:)?(?P<plus>\+|00)?[(]?[0-9][0-9 ().\-/]{5,24}\Z")
"""What can be a number among a sender's arguments; ``whatsapp:`` and the like may precede it."""

MAX_DEPTH = 4


class Spelt(NamedTuple):
    """A number in a sender's arguments: its digits without leading zeros, in E.164 where it begins
    with a calling code for certain, whether it does, and the text."""

    digits: str
    international: bool
    text: str = ""

    def means(self, phone: Phone) -> bool:
        """Whether it is this number, in E.164 or as people write it at home."""
        if self.digits == phone.e164[1:]:
            return True
        if self.international:
            return False
        at_home = phone.national.lstrip("0")
        return self.digits == at_home or _read(self.text, phone.region) == phone.e164[1:]


@lru_cache(maxsize=4_096)
def _read(text: str, region: str | None = None) -> str | None:
    """The digits of E.164 as the number of a request is read: without a trunk zero, and one number
    for one handset. ``None`` if it is none."""
    try:
        return canonical(text, None, region, plain_digits=True).e164[1:]
    except IntakeError:
        return None


def _spelt(text: str, found: re.Match[str]) -> Spelt:
    digits = re.sub("[^0-9]", "", text).lstrip("0")
    if found["plus"] is None:
        return Spelt(digits, False, text)
    return Spelt(_read("+" + text[found.end("plus") :]) or digits, True, text)


def numbers_in(values: Iterable[object], depth: int = MAX_DEPTH) -> list[Spelt]:
    """The numbers among arguments, also within lists and dicts."""
    found: list[Spelt] = []
    for value in values:
        if type(value) is int:
            value = str(value)
        if isinstance(value, str):
            if (match := NUMBER.match(value)) is not None:
                found.append(_spelt(value, match))
        elif depth and isinstance(value, Mapping):
            found += numbers_in(value.values(), depth - 1)
        elif depth and isinstance(value, list | tuple):
            found += numbers_in(value, depth - 1)
    return found
