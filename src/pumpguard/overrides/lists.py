"""The allow list and the deny list: who is always let through, and who never is."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from ipaddress import ip_network
from typing import Literal, TypeAlias, get_args

from phonenumbers import SUPPORTED_REGIONS

from pumpguard.attempt import bounded
from pumpguard.errors import IntakeError, OverrideError
from pumpguard.intake.phone import canonical

ListedKind = Literal["number", "prefix", "network", "country", "account"]
"""What a listing is about. ``country`` is the phone's; ``network`` any CIDR."""

ListName = Literal["allow", "deny"]

LISTED_KINDS: tuple[ListedKind, ...] = get_args(ListedKind)
PREFIX = re.compile(r"\+[1-9][0-9]{0,13}\Z")
NUMBER_HASH = re.compile(r"#[0-9a-f]{20}\Z")
NO_COUNTRY = re.compile(r"\+[1-9][0-9]{0,2}\Z")
"""The calling code of numbers that belong to no country."""

Hash: TypeAlias = Callable[[str, str], str]
"""The keyed hash of a value of some kind: ``(kind, value) -> hex digits``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One entry of the allow list or the deny list (``verdict``), with its author, its time
    (``at``, Unix seconds), its reason, and its end.

    ``value`` is a keyed hash of a number or account; a prefix, a network and a country are kept in
    plain text, because they are compared in part. ``shown`` is for people, masked.
    ``spends_freely`` exempts an allowed subject from budgets as well.
    """

    verdict: ListName
    kind: ListedKind
    value: str
    shown: str
    author: str
    at: float
    reason: str = ""
    until: float | None = None
    spends_freely: bool = False

    def in_force(self, now: float) -> bool:
        return self.until is None or now < self.until


def keyed_hash(secret: str) -> Hash:
    """The hash function for list entries under a policy's secret.

    It differs from the one in the counters' keys, so that nobody who reads a list can tell which
    counters belong to its entries.
    """
    keyed = blake2b(digest_size=10, key=blake2b(secret.encode(), digest_size=32).digest())

    @cache
    def begun(kind: str) -> blake2b:
        made = keyed.copy()
        made.update(f"listed {kind}\0".encode())
        return made

    def hashed(kind: str, value: str) -> str:
        made = begun(kind).copy()
        made.update(value.encode("utf-8", "surrogatepass"))
        return made.hexdigest()

    return hashed


def subject(
    kind: ListedKind, text: str, hashed: Hash, region: str | None = None
) -> tuple[str, str]:
    """A listing's ``value`` and ``shown`` for what a person has written. Raises `OverrideError`.

    ``region`` is where numbers without a calling code are from. A number may also be ``#`` and its
    hash, as events tell it.
    """
    match kind:
        case "number":
            if NUMBER_HASH.match(text):
                return text[1:], f"{text[:7]}…"
            try:
                phone = canonical(text, None, region)
            except IntakeError as error:
                raise OverrideError(kind, f"a telephone number ({error.detail})") from None
            return hashed(kind, phone.e164), phone.masked
        case "account":
            if not text:
                raise OverrideError(kind, "an account")
            return hashed(kind, bounded(text)), f"{text[:2]}•••" if len(text) > 4 else "•••"
        case "prefix":
            if not PREFIX.match(text):
                raise OverrideError(kind, "'+' and the first digits, such as '+447400'", text)
            return text, text
        case "network":
            try:
                network = str(ip_network(text))
            except ValueError as error:
                raise OverrideError(kind, f"an address or a CIDR ({error})", text) from None
            return network, network
        case "country":
            country = check_country(text)
            return country, country
    raise OverrideError("kind", f"one of {', '.join(LISTED_KINDS)}", kind)


def check_country(text: str) -> str:
    """A country as attempts name theirs. Raises `OverrideError`."""
    country = text.upper()
    if country not in SUPPORTED_REGIONS and not NO_COUNTRY.match(country):
        raise OverrideError("country", "an ISO 3166 region such as 'GB', or '+870'", text)
    return country
