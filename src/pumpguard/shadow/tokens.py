"""A decision as a signed text, for the job or the header that takes it to another process."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
import time
from collections.abc import Callable
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakMethod

from pumpguard.decision import Action, Decision
from pumpguard.errors import TicketError

if TYPE_CHECKING:
    from pumpguard.shadow.current import DecideMore

LIFETIME = 3_600
"""Seconds for which a token holds: longer than any code."""

KEY_ID, ACTION, EXPIRY, NUMBER, SIGNATURE = 4, 1, 5, 8, 16
"""Bytes of each part; the reservation stands between the number and the signature."""

HEAD = KEY_ID + ACTION + EXPIRY + NUMBER

OF_THIS_PROCESS = secrets.token_bytes(32)
"""What signs where a policy has no ``secret``: nobody else can read it then."""

_known: dict[bytes, Tokens] = {}


MOST, COUNTED_FROM = 32, 3
"""Messages that a token may be for, and the bit from which on their count (less one) stands beside
the action: older tokens are for one."""


class Carried(NamedTuple):
    """What a token says: the action, the keyed hash of the number, for how many messages it is, and
    what tells it from others."""

    action: Action
    number: bytes
    messages: int
    name: bytes


class Tokens:
    """Issues and reads tokens under a policy's secret; ``clock`` gives Unix seconds."""

    def __init__(self, secret: str, clock: Callable[[], float] | None = None) -> None:
        key = secret.encode() or OF_THIS_PROCESS
        self._key = hmac.digest(key, b"pumpguard decision token", sha256)
        self._id = self._hash(b"id")[:KEY_ID]
        self._clock = clock or time.time
        self.simulated = clock is not None
        self.decide: WeakMethod[DecideMore] | None = None
        """Who decides about a message by a token, where it counts how many these are."""
        _known[self._id] = self

    def issue(self, decision: Decision, count: int = 1) -> str:
        """The decision, for an hour and so many messages. The number in it is a keyed hash."""
        parts = (
            self._id,
            bytes([decision.action | (min(count, MOST) - 1) << COUNTED_FROM]),
            (int(self._clock()) + LIFETIME).to_bytes(EXPIRY),
            self.number(decision.attempt.phone.e164[1:]),
            decision.reservation,
        )
        payload = b"".join(parts)
        signed = payload + self._hash(b"token" + payload)[:SIGNATURE]
        return base64.urlsafe_b64encode(signed).decode().rstrip("=")

    def read(self, token: str) -> Carried:
        """What it says. Raises `TicketError` if it is forged, of another secret, or too old."""
        signed = _decoded(token)
        payload, signature = signed[:-SIGNATURE], signed[-SIGNATURE:]
        if not hmac.compare_digest(signature, self._hash(b"token" + payload)[:SIGNATURE]):
            raise TicketError("this is no token of a decision under this policy's secret")
        at = KEY_ID + ACTION
        if int.from_bytes(payload[at : at + EXPIRY]) < self._clock():
            raise TicketError(f"this token is older than {LIFETIME} seconds")
        number, reservation = payload[at + EXPIRY : HEAD], payload[HEAD:]
        more, action = divmod(payload[KEY_ID], 1 << COUNTED_FROM)
        name = number + reservation if reservation else signature
        return Carried(Action(action), number, more + 1, name)

    def number(self, digits: str) -> bytes:
        """The keyed hash of a number in E.164 without its plus."""
        return self._hash(b"number" + digits.encode())[:NUMBER]

    def _hash(self, data: bytes) -> bytes:
        return hmac.digest(self._key, data, sha256)


def reader_of(token: str) -> Tokens:
    """Who in this process can read it. Raises `TicketError` if no guard here has its secret."""
    reader = _known.get(_decoded(token)[:KEY_ID])
    if reader is None:
        raise TicketError("no guard in this process has the secret that this token is signed with")
    return reader


def _decoded(token: str) -> bytes:
    try:
        signed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        signed = b""
    if len(signed) < HEAD + SIGNATURE:
        raise TicketError("this is no token of a decision")
    return signed
