"""Telnyx'. Needs ``cryptography``."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from starlette.datastructures import Headers

from pumpguard.config import require
from pumpguard.intake.fields import decode_json
from pumpguard.receipts.base import (
    FORGED,
    Reader,
    Receipt,
    ReportedWord,
    member,
    only,
    recent,
    require_cryptography,
    seconds,
    when,
)

WORDS: dict[str, ReportedWord] = {
    "delivered": "delivered", "delivery_failed": "undelivered", "expired": "undelivered",
    "sending_failed": "failed", "cancelled": "failed",
}  # fmt: skip
"""``delivery_unconfirmed`` says nothing."""


class Telnyx(Reader):
    """https://developers.telnyx.com/api-reference/callbacks (Ed25519 of ``timestamp|body``; read on
    2026-11-26), and the statuses and the carrier of ``to`` as Telnyx' own Python client has them
    (github.com/team-telnyx/telnyx-python, types of a message; read on 2026-11-27): what has not
    left its queue in time is ``sending_failed``."""

    provider = "telnyx"

    def __init__(self, key: str) -> None:
        require_cryptography()
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            self._key = Ed25519PublicKey.from_public_bytes(base64.b64decode(key, validate=True))
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
        if not recent(seconds(at), now):
            raise FORGED
        data = member(member(decode_json(body)).get("data"))
        if data.get("event_type") != "message.finalized":
            return ()
        payload = member(data.get("payload"))
        to = payload.get("to")
        first = member(to[0] if isinstance(to, list) and to else None)
        word = WORDS.get(str(first.get("status")))
        if word is None:
            return ()
        at_last = when(payload.get("completed_at"))
        return (self.receipt(payload.get("id"), word, at_last, first.get("carrier")),)
