"""Telephone numbers among the arguments of a function that sends, as its app spells them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from pumpguard.attempt import Phone

NUMBER = re.compile(r"(?:[a-z]+:)?(?P<plus>\+|00)?[(]?[0-9][0-9 ().\-/]{5,24}\Z")
"""What can be a number among a sender's arguments; ``whatsapp:`` and the like may precede it."""

MAX_DEPTH = 4


class Spelt(NamedTuple):
    """A number in a sender's arguments: its digits without leading zeros, and whether they begin
    with a calling code for certain."""

    digits: str
    international: bool

    def means(self, phone: Phone) -> bool:
        """Whether it is this number, in E.164 or as people write it at home."""
        if self.digits == phone.e164[1:]:
            return True
        return not self.international and self.digits == phone.national.lstrip("0")


def numbers_in(values: Iterable[object], depth: int = MAX_DEPTH) -> list[Spelt]:
    """The numbers among arguments, also within lists and dicts."""
    found: list[Spelt] = []
    for value in values:
        if type(value) is int:
            value = str(value)
        if isinstance(value, str):
            spelt = NUMBER.match(value)
            if spelt is not None:
                digits = re.sub("[^0-9]", "", value).lstrip("0")
                found.append(Spelt(digits, spelt["plus"] is not None))
        elif depth and isinstance(value, Mapping):
            found += numbers_in(value.values(), depth - 1)
        elif depth and isinstance(value, list | tuple):
            found += numbers_in(value, depth - 1)
    return found
