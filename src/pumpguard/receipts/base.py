"""What all receipts share: what one says and means for money, and how it is known to be genuine.

``not_sent`` gives back what a message was charged: only where the provider says that it has not
handed it to a carrier. ``unallocated`` is for what was handed over, billed, and rejected because
nobody has the number. Everything else stays as sent.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, ClassVar
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from pumpguard.config import require
from pumpguard.errors import IntakeError
from pumpguard.intake.decode import pairs
from pumpguard.listeners import Reported as Reported
from pumpguard.listeners import ReportedWord as ReportedWord
from pumpguard.outcomes.reports import MessageOutcome

TOLERANCE = 300
"""Seconds by which a signed time may differ from ours."""

LONGEST_CARRIER = 40
"""Characters of a carrier's name; of a longer one nothing is known."""

FORGED = IntakeError(401, "unauthorized", "Not authentic", "This receipt is not signed as agreed.")
UNREADABLE = IntakeError(422, "bad-receipt", "Not a receipt", "This is not as agreed.")


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a message: in a word of ours, and what that means to the guard. ``at`` is when
    (Unix seconds), and ``carrier`` is who carried it, where the provider says so: the digits of its
    mobile country and network code (E.212), or a name."""

    provider: str
    id: str
    word: ReportedWord
    outcome: MessageOutcome
    at: float | None = None
    carrier: str = ""


class Reader:
    """Reads one provider's receipts. ``provider`` is what its sender calls itself, ``method`` what
    it asks by, ``key`` what its address has to hold, if it signs nothing."""

    provider: ClassVar[str]
    method: ClassVar[str] = "POST"
    key = ""

    @abstractmethod
    async def read(self, url: str, headers: Headers, body: bytes, now: float) -> Sequence[Receipt]:
        """Those in a request; none where it says nothing final. Raises `IntakeError`."""

    def receipt(
        self, id: object, word: ReportedWord, at: float | None = None, *carrier: object
    ) -> Receipt:
        """One, by what it says; the parts of the carrier's name are put together."""
        if not isinstance(id, str) or not 0 < len(id) <= 128:
            raise UNREADABLE
        outcomes: Mapping[str, MessageOutcome] = {
            "failed": "not_sent", "unallocated": "unallocated",
        }  # fmt: skip
        name = "".join(part for part in carrier if isinstance(part, str))
        if len(name) > LONGEST_CARRIER or not name.isprintable():
            name = ""
        return Receipt(self.provider, id, word, outcomes.get(word, "sent"), at, name)


class Shared:
    """A secret that proves a provider which signs nothing: as the password of HTTP's basic
    authentication, or by ``key``, which is made of it and stands in the address, where logs may
    show it. Both are compared in constant time."""

    def __init__(self, path: str, secret: str) -> None:
        require(len(secret) >= 16, path, "a secret of at least 16 characters")
        self._secret = secret
        self.key = hmac.new(secret.encode(), b"pumpguard receipts", sha256).hexdigest()[:32]

    def check(self, url: str, headers: Headers) -> None:
        """Refuse a request that has neither. Raises `IntakeError`."""
        said = query(url).get("key")
        if said is not None:
            check(self.key, said)
            return
        scheme, _, proof = only(headers, "authorization").partition(" ")
        if scheme.lower() != "basic":
            raise FORGED
        _, _, password = _base64(proof).partition(b":")
        if not hmac.compare_digest(self._secret.encode(), password):
            raise FORGED


def require_cryptography() -> None:
    """Fail at the start where the extra is missing, and say which."""
    try:
        import cryptography.x509  # noqa: F401
    except ModuleNotFoundError as error:
        error.add_note("these receipts need cryptography: pip install 'pumpguard[receipts]'")
        raise


def claims_of(token: str, secret: bytes) -> Mapping[str, Any]:
    """The claims of a JWT that was signed by this secret (HS256, and nothing else)."""
    parts = token.strip().split(".")
    if len(parts) != 3:
        raise FORGED
    head, claims = _decoded(parts[0]), _decoded(parts[1])
    signed = hmac.digest(secret, f"{parts[0]}.{parts[1]}".encode(), sha256)
    check(base64.urlsafe_b64encode(signed).decode().rstrip("="), parts[2])
    if head.get("alg") != "HS256":
        raise FORGED
    return claims


def only(headers: Headers, name: str) -> str:
    """The header, which has to be there once."""
    found = headers.getlist(name)
    if len(found) != 1:
        raise FORGED
    return found[0]


def check(right: str, said: str) -> None:
    """Refuse what is not the right text, in constant time."""
    if not hmac.compare_digest(right.encode(), said.encode("utf-8", "surrogatepass")):
        raise FORGED


def recent(at: object, now: float) -> bool:
    """Whether a signed time is near ours."""
    return isinstance(at, int | float) and abs(at - now) <= TOLERANCE


def seconds(text: str) -> float:
    """A header that is a Unix time."""
    if not (text.isascii() and text.isdecimal()):
        raise FORGED
    return int(text)


def when(text: object) -> float | None:
    """The Unix time of a date with its zone (ISO 8601), if it is one."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return None if found.tzinfo is None else found.timestamp()


def query(url: str) -> Mapping[str, str]:
    """The parameters of an address."""
    return pairs(urlsplit(url).query.encode("utf-8", "surrogatepass"), "query field")


def member(found: object) -> Mapping[str, Any]:
    """A JSON object. Raises `IntakeError` for anything else."""
    if not isinstance(found, dict):
        raise UNREADABLE
    return found


def elements(found: object) -> Sequence[object]:
    """A JSON array. Raises `IntakeError` for anything else."""
    if not isinstance(found, list):
        raise UNREADABLE
    return found


def _decoded(part: str) -> Mapping[str, Any]:
    try:
        found = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        raise FORGED from None
    if not isinstance(found, dict):
        raise FORGED
    return found


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text.strip(), validate=True)
    except ValueError:
        raise FORGED from None
