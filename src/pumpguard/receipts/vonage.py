"""Vonage's, of the Messages API."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from starlette.datastructures import Headers

from pumpguard.config import require
from pumpguard.intake.fields import decode_json
from pumpguard.receipts.base import (
    FORGED,
    Reader,
    Receipt,
    ReportedWord,
    check,
    claims_of,
    member,
    only,
    recent,
    when,
)

WORDS: dict[str, ReportedWord] = {
    "delivered": "delivered", "read": "delivered", "rejected": "undelivered",
    "undeliverable": "failed",
}  # fmt: skip


class Vonage(Reader):
    """https://developer.vonage.com/en/messages/concepts/signed-webhooks (read on 2026-11-26): a JWT
    (HS256) in ``Authorization``, whose ``payload_hash`` is that of the body; here it has to be.

    https://developer.vonage.com/en/messages/concepts/messages-status-callbacks (read on
    2026-11-27): ``undeliverable`` is what Vonage "was unable to connect to the messaging provider"
    for. An SMS is charged once it is ``submitted``, and may be ``rejected`` after that, by the
    carrier or because its time is over: nothing is given back for it. The carrier's ``expired``,
    ``failed``, ``unknown`` and ``rejected`` all come as that
    (https://developer.vonage.com/en/messages/concepts/sms-status-callbacks, read on 2026-11-27)."""

    provider = "vonage"

    def __init__(self, secret: str) -> None:
        require(len(secret) >= 16, "receipts.vonage", "the account's signature secret")
        self._secret = secret.encode()

    async def read(self, url: str, headers: Headers, body: bytes, now: float) -> Sequence[Receipt]:
        scheme, _, token = only(headers, "authorization").partition(" ")
        if scheme.lower() != "bearer":
            raise FORGED
        claims = claims_of(token, self._secret)
        if not recent(claims.get("iat"), now):
            raise FORGED
        check(sha256(body).hexdigest(), str(claims.get("payload_hash")))
        found = member(decode_json(body))
        word = WORDS.get(str(found.get("status")))
        if word is None:
            return ()
        return (self.receipt(found.get("message_uuid"), word, when(found.get("timestamp"))),)
