"""Sinch's, of the SMS REST API."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence
from hashlib import sha256

from starlette.datastructures import Headers

from pumpguard.intake.fields import decode_json
from pumpguard.receipts.base import (
    FORGED,
    Reader,
    Receipt,
    ReportedWord,
    Shared,
    check,
    member,
    only,
    recent,
    seconds,
    when,
)

SIGNATURE = "x-sinch-webhook-signature"

WORDS: dict[str, ReportedWord] = {
    "Delivered": "delivered", "Aborted": "failed", "Cancelled": "failed",
    "Rejected": "undelivered", "Deleted": "undelivered", "Failed": "undelivered",
    "Expired": "undelivered", "Unknown": "undelivered",
}  # fmt: skip
"""By https://developers.sinch.com/docs/sms/api-reference/sms/tag/Delivery-reports/ (read on
2026-11-27): what was aborted or cancelled has not reached the SMSC."""


class Sinch(Reader):
    """https://developers.sinch.com/docs/sms/api-reference/sms/tag/Webhooks/ (read on 2026-11-27):
    it is for the account manager to turn on how callbacks prove themselves. Signed ones are checked
    as Sinch's own Python client does (github.com/sinch/sinch-sdk-python: HMAC-SHA256 of body, nonce
    and time); others need the secret as a password, or its key in the address (`Shared`)."""

    provider = "sinch"

    def __init__(self, secret: str) -> None:
        self._shared = Shared("receipts.sinch", secret)
        self.key, self._secret = self._shared.key, secret.encode()

    async def read(self, url: str, headers: Headers, body: bytes, now: float) -> Sequence[Receipt]:
        if SIGNATURE in headers:
            nonce, at = only(headers, f"{SIGNATURE}-nonce"), only(headers, f"{SIGNATURE}-timestamp")
            signed = body + f".{nonce}.{at}".encode()
            right = base64.b64encode(hmac.digest(self._secret, signed, sha256)).decode()
            check(right, only(headers, SIGNATURE))
            if not recent(seconds(at), now):
                raise FORGED
        else:
            self._shared.check(url, headers)
        found = member(decode_json(body))
        word = WORDS.get(str(found.get("status")))
        if found.get("type") != "recipient_delivery_report_sms" or word is None:
            return ()
        at_last = when(found.get("operator_status_at")) or when(found.get("at"))
        return (self.receipt(found.get("batch_id"), word, at_last, found.get("operator")),)
