"""Plivo's."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence
from hashlib import sha256

from starlette.datastructures import Headers

from pumpguard.config import require
from pumpguard.intake.decode import pairs
from pumpguard.receipts.base import Reader, Receipt, ReportedWord, check, only

WORDS: dict[str, ReportedWord] = {
    "delivered": "delivered", "undelivered": "undelivered", "failed": "failed",
}  # fmt: skip


class Plivo(Reader):
    """https://docs.plivo.com/docs/messaging/api/message/message-status-callbacks and
    …/concepts/signature-validation (HMAC-SHA256 of the URL and a nonce; both read on 2026-11-26).
    The body is not signed: it is as good as the HTTPS that it comes by."""

    provider = "plivo"

    def __init__(self, token: str) -> None:
        require(len(token) >= 16, "receipts.plivo", "the account's auth token")
        self._token = token.encode()

    async def read(self, url: str, headers: Headers, body: bytes, now: float) -> Sequence[Receipt]:
        signed = url.partition("?")[0] + only(headers, "x-plivo-signature-v2-nonce")
        right = hmac.digest(self._token, signed.encode(), sha256)
        check(base64.b64encode(right).decode(), only(headers, "x-plivo-signature-v2"))
        form = pairs(body, "form field")
        word = WORDS.get(form.get("Status", ""))
        return () if word is None else (self.receipt(form.get("MessageUUID"), word),)
