"""How numbers, blocks of them and networks are shown to people, in logs and in events."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_network
from itertools import product
from os import urandom

BLOCK_FROM = 2
"""Digits that are left open in a block of a hundred numbers."""

SHOWN_DIGITS = 5
"""Of a number that is an alert's subject: the calling code and a little more."""


class Block(str):
    """The first digits of a hundred numbers or more: they are no person's, and shown as they are,
    so that an operator can name them in an order."""

    __slots__ = ()


def block_of(subject: str | None, number: str) -> Block | None:
    """The subject, if it is such a block around this number (E.164)."""
    if subject is None or not subject.startswith("+") or not number.startswith(subject):
        return None
    return Block(subject) if len(number) - len(subject) >= BLOCK_FROM else None


def masked_number(number: str, block: str, subjects: Iterable[str | None] = ()) -> str:
    """A number's ``block`` of 1,000, or the narrower one that is among ``subjects``. Never the last
    digits: beside the block, which something else may show, they would be the number."""
    shown = max([block, *(each for each in subjects if isinstance(each, Block))], key=len)
    return shown + "•" * (len(number) - len(shown))


def masked_network(network: str) -> str:
    """An address or CIDR: 24 bits of IPv4, 48 of IPv6."""
    if "." in network:
        return network.split("/")[0].rsplit(".", 1)[0] + ".•"
    return ":".join(network.split(":")[:3]) + ":•"


def masked(subject: str | None) -> str | None:
    """An alert's subject without personal data. A country is shown, and so is a block of a hundred
    numbers or more; any other number or an address is cut off, and of anything else only the length
    is left."""
    if subject is None or subject == "everything" or (len(subject) == 2 and subject.isupper()):
        return subject
    if isinstance(subject, Block):
        return subject
    if subject.startswith("+") and subject[1:].isdecimal():
        return subject[:SHOWN_DIGITS] + "•" * max(0, len(subject) - SHOWN_DIGITS)
    try:
        network = ip_network(subject, strict=False)
    except ValueError:
        return "•" * len(subject)
    return masked_network(str(network.network_address))


PAIRS = tuple(map("".join, product("0123456789ABCDEFGHJKMNPQRSTVWXYZ", repeat=2)))
"""All pairs of Crockford's 32 characters: no I, L, O or U."""


def new_reference() -> str:
    """Eight characters for a refusal, random, without those that are mistaken for others."""
    bits = int.from_bytes(urandom(5))
    first = PAIRS[bits >> 30] + PAIRS[bits >> 20 & 1023]
    return f"{first}-{PAIRS[bits >> 10 & 1023]}{PAIRS[bits & 1023]}"
