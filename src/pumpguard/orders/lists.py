"""Lists made by hand: who is always let through, and who never is."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from ipaddress import ip_network
from typing import Literal, TypeAlias, get_args

from phonenumbers import SUPPORTED_REGIONS

from pumpguard.errors import IntakeError, OrdersError
from pumpguard.intake.phone import canonical
from pumpguard.intake.reader import bounded

Kind = Literal["number", "prefix", "network", "country", "account"]
"""What a listing names. ``country`` is the phone's; ``network`` any CIDR."""

Verdict = Literal["allow", "deny"]

KINDS: tuple[Kind, ...] = get_args(Kind)
PREFIX = re.compile(r"\+[1-9][0-9]{0,13}\Z")
NO_COUNTRY = re.compile(r"\+[1-9][0-9]{0,2}\Z")
"""The calling code of numbers that belong to no country."""

Hash: TypeAlias = Callable[[str, str], str]
"""The keyed hash of a value of some kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One entry: what it says about whom, who wrote it, when (Unix seconds), why, until when.

    ``value`` is a keyed hash of a number or account; a prefix, a network and a country stand as
    they are, because they have to be compared in part. ``shown`` is for people, masked.
    An allowed one that ``spends_freely`` is not held by budgets either.
    """

    verdict: Verdict
    kind: Kind
    value: str
    shown: str
    author: str
    at: float
    reason: str = ""
    until: float | None = None
    spends_freely: bool = False

    def stands(self, now: float) -> bool:
        """Whether it has not expired."""
        return self.until is None or now < self.until


def hashing(secret: str) -> Hash:
    """Hashes by a policy's secret. They differ from those in counters' keys, so that nobody reads
    off a list what a number was counted for."""
    keyed = blake2b(digest_size=10, key=blake2b(secret.encode(), digest_size=32).digest())

    def hashed(kind: str, value: str) -> str:
        made = keyed.copy()
        made.update(f"listed {kind}\0{value}".encode("utf-8", "surrogatepass"))
        return made.hexdigest()

    return hashed


def subject(kind: Kind, text: str, hashed: Hash, region: str | None = None) -> tuple[str, str]:
    """The value to keep for what a person wrote, and what to show of it. Raises `OrdersError`.

    ``region`` is where numbers without a calling code are from.
    """
    match kind:
        case "number":
            try:
                phone = canonical(text, None, region)
            except IntakeError as error:
                raise OrdersError(kind, f"a telephone number ({error.detail})") from None
            return hashed(kind, phone.e164), phone.masked
        case "account":
            if not text:
                raise OrdersError(kind, "an account")
            return hashed(kind, bounded(text)), f"{text[:2]}•••" if len(text) > 4 else "•••"
        case "prefix":
            if not PREFIX.match(text):
                raise OrdersError(kind, "'+' and the first digits, such as '+447400'", text)
            return text, text
        case "network":
            try:
                network = str(ip_network(text))
            except ValueError as error:
                raise OrdersError(kind, f"an address or a CIDR ({error})", text) from None
            return network, network
        case "country":
            return (country := check_country(text)), country


def check_country(text: str) -> str:
    """A country as attempts name theirs. Raises `OrdersError`."""
    country = text.upper()
    if country not in SUPPORTED_REGIONS and not NO_COUNTRY.match(country):
        raise OrdersError("country", "an ISO 3166 region such as 'GB', or '+870'", text)
    return country
