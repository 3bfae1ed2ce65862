"""The providers' receipts: how each is signed, and what its words mean for money.

``not_sent`` gives back what a message was charged: only where the provider says that it has not
handed it to a carrier. ``unallocated`` is for what was handed over, billed, and rejected because
nobody has the number. Everything else stays as sent.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha1, sha256
from typing import Any, Protocol

from starlette.datastructures import Headers

from pumpguard.config import require
from pumpguard.errors import IntakeError
from pumpguard.intake.decode import pairs
from pumpguard.intake.fields import decode_json
from pumpguard.outcomes.reports import MessageOutcome

TOLERANCE = 300
"""Seconds by which a signed time may differ from ours."""

FORGED = IntakeError(401, "unauthorized", "Not authentic", "This receipt is not signed as agreed.")
UNREADABLE = IntakeError(422, "bad-receipt", "Not a receipt", "This is not as agreed.")


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a message: in a word of ours, and what that means to the guard. ``at`` is when
    (Unix seconds), where the provider says it."""

    provider: str
    id: str
    word: str
    outcome: MessageOutcome
    at: float | None = None


class Reader(Protocol):
    """Reads one provider's receipts."""

    async def read(self, url: str, headers: Headers, body: bytes, now: float) -> Sequence[Receipt]:
        """Those in a request; none where it says nothing final. Raises `IntakeError`."""
        ...


def receipt(provider: str, id: object, word: str, at: float | None = None) -> Receipt:
    """One, by what it says: ``delivered``, ``undelivered``, ``failed`` or ``unallocated``."""
    if not isinstance(id, str) or not 0 < len(id) <= 128:
        raise UNREADABLE
    outcomes: Mapping[str, MessageOutcome] = {"failed": "not_sent", "unallocated": "unallocated"}
    return Receipt(provider, id, word, outcomes.get(word, "sent"), at)


class Twilio:
    """https://www.twilio.com/docs/messaging/guides/track-outbound-message-status and
    https://www.twilio.com/docs/usage/security (HMAC-SHA1 of the URL and the sorted parameters, as
    Twilio's Python client 9.13 computes it, 2026-11-26). Error 30005: unknown destination handset.
    It has no time: an old receipt says again what is known already."""

    UNALLOCATED = ("30005",)

    def __init__(self, token: str) -> None:
        require(len(token) >= 16, "receipts.twilio", "the account's auth token")
        self._token = token.encode()

    async def read(self, url: str, headers: Headers, body: bytes, now: float) -> Sequence[Receipt]:
        form = dict(pairs(body, "form field").items())  # refuses names that are there twice
        signed = url + "".join(name + form[name] for name in sorted(form))
        right = hmac.digest(self._token, signed.encode("utf-8", "surrogateescape"), sha1)
        check(base64.b64encode(right).decode(), only(headers, "x-twilio-signature"))
        match form.get("MessageStatus"):
            case "delivered" | "read":
                word = "delivered"
            case "undelivered" if form.get("ErrorCode") in self.UNALLOCATED:
                word = "unallocated"
            case "undelivered":
                word = "undelivered"
            case "failed" | "canceled":
                word = "failed"
            case _:
                return ()
        return (receipt("twilio", form.get("MessageSid"), word),)


class Plivo:
    """https://docs.plivo.com/docs/messaging/api/message/message-status-callbacks and
    …/concepts/signature-validation (HMAC-SHA256 of the URL and a nonce; both read on 2026-11-26).
    The body is not signed: it is as good as the HTTPS that it comes by."""

    def __init__(self, token: str) -> None:
        require(len(token) >= 16, "receipts.plivo", "the account's auth token")
        self._token = token.encode()

    async def read(self, url: str, headers: Headers, body: bytes, now: float) -> Sequence[Receipt]:
        signed = url.partition("?")[0] + only(headers, "x-plivo-signature-v2-nonce")
        right = hmac.digest(self._token, signed.encode(), sha256)
        check(base64.b64encode(right).decode(), only(headers, "x-plivo-signature-v2"))
        form = pairs(body, "form field")
        words = {"delivered": "delivered", "undelivered": "undelivered", "failed": "failed"}
        word = words.get(form.get("Status", ""))
        return () if word is None else (receipt("plivo", form.get("MessageUUID"), word),)


class Vonage:
    """https://developer.vonage.com/en/messages/concepts/signed-webhooks (read on 2026-11-26): a JWT
    (HS256) in ``Authorization``, whose ``payload_hash`` is that of the body; here it has to be.
    ``rejected`` is what Vonage has not handed over."""

    def __init__(self, secret: str) -> None:
        require(len(secret) >= 16, "receipts.vonage", "the account's signature secret")
        self._secret = secret.encode()

    async def read(self, url: str, headers: Headers, body: bytes, now: float) -> Sequence[Receipt]:
        scheme, _, token = only(headers, "authorization").partition(" ")
        parts = token.strip().split(".")
        if scheme.lower() != "bearer" or len(parts) != 3:
            raise FORGED
        head, claims = _decoded(parts[0]), _decoded(parts[1])
        signed = hmac.digest(self._secret, f"{parts[0]}.{parts[1]}".encode(), sha256)
        check(base64.urlsafe_b64encode(signed).decode().rstrip("="), parts[2])
        if head.get("alg") != "HS256" or not recent(claims.get("iat"), now):
            raise FORGED
        check(sha256(body).hexdigest(), str(claims.get("payload_hash")))
        found = member(decode_json(body))
        words = {"delivered": "delivered", "read": "delivered", "undeliverable": "undelivered",
                 "rejected": "failed"}  # fmt: skip
        word = words.get(str(found.get("status")))
        return () if word is None else (receipt("vonage", found.get("message_uuid"), word),)


class Telnyx:
    """https://developers.telnyx.com/api-reference/callbacks (Ed25519 of ``timestamp|body``; read on
    2026-11-26). The statuses of ``message.finalized`` are from memory: ``sending_failed`` is what
    Telnyx has not handed over. Needs ``cryptography``."""

    def __init__(self, key: str) -> None:
        public = _needs_cryptography()
        try:
            self._key = public.from_public_bytes(base64.b64decode(key, validate=True))
        except ValueError:
            require(False, "receipts.telnyx", "the account's public key, in base64")

    async def read(self, url: str, headers: Headers, body: bytes, now: float) -> Sequence[Receipt]:
        from cryptography.exceptions import InvalidSignature

        at = only(headers, "telnyx-timestamp")
        try:
            signature = base64.b64decode(only(headers, "telnyx-signature-ed25519"), validate=True)
            self._key.verify(signature, at.encode() + b"|" + body)
        except (InvalidSignature, ValueError):
            raise FORGED from None
        if not (at.isascii() and at.isdecimal() and recent(int(at), now)):
            raise FORGED
        data = member(member(decode_json(body)).get("data"))
        if data.get("event_type") != "message.finalized":
            return ()
        payload = member(data.get("payload"))
        to = payload.get("to")
        first = member(to[0] if isinstance(to, list) and to else None)
        words = {"delivered": "delivered", "delivery_failed": "undelivered",
                 "sending_failed": "failed"}  # fmt: skip
        word = words.get(str(first.get("status")))
        return () if word is None else (receipt("telnyx", payload.get("id"), word),)


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


def member(found: object) -> Mapping[str, Any]:
    """A JSON object. Raises `IntakeError` for anything else."""
    if not isinstance(found, dict):
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


def _needs_cryptography() -> Any:
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ModuleNotFoundError as error:
        error.add_note("these receipts need cryptography: pip install 'pumpguard[receipts]'")
        raise
    return Ed25519PublicKey
