"""Infobip's, of its SMS API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.datastructures import Headers

from pumpguard.intake.fields import decode_json
from pumpguard.receipts.base import Reader, Receipt, ReportedWord, Shared, elements, member, when

UNKNOWN = "EC_UNKNOWN_SUBSCRIBER"
"""https://www.infobip.com/docs/developer-resources/api-fundamentals/error-code-reference (read on
2026-11-27)."""

WORDS: dict[object, ReportedWord] = {
    2: "undelivered", 3: "delivered", 4: "undelivered", 5: "failed",
}  # fmt: skip
"""By groups of statuses: undeliverable, delivered, expired, and rejected "before it could be sent":
…/api-fundamentals/message-status-codes (read on 2026-11-27)."""

TO_HANDSET = 5
"""The status of what was delivered that is final; another one is that it reached the operator."""


class Infobip(Reader):
    """https://infobip.com/docs/api/channels/sms/sms-messaging/logs-and-status-reports/
    receive-outbound-sms-message-report (read on 2026-11-27): up to 100 ``results``, posted to the
    ``notifyUrl`` of a message. That page knows no signature, so the secret is a password, or its
    key stands in the address (`Shared`)."""

    provider = "infobip"

    def __init__(self, secret: str) -> None:
        self._shared = Shared("receipts.infobip", secret)
        self.key = self._shared.key

    async def read(self, url: str, headers: Headers, body: bytes, now: float) -> Sequence[Receipt]:
        self._shared.check(url, headers)
        results = elements(member(decode_json(body)).get("results"))
        found = (self._result(member(result)) for result in results)
        return [receipt for receipt in found if receipt is not None]

    def _result(self, result: Mapping[str, Any]) -> Receipt | None:
        status, error = member(result.get("status")), result.get("error")
        word = WORDS.get(status.get("groupId", 0))
        if word is None or (word == "delivered" and status.get("id") != TO_HANDSET):
            return None
        if word == "undelivered" and isinstance(error, dict) and error.get("name") == UNKNOWN:
            word = "unallocated"
        at = when(result.get("doneAt"))
        return self.receipt(result.get("messageId"), word, at, result.get("mccMnc"))
