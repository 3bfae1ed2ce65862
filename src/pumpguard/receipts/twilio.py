"""Twilio's: of Programmable Messaging, and of Verify, which come by its Event Streams."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence
from hashlib import sha1, sha256

from starlette.datastructures import Headers

from pumpguard.config import require
from pumpguard.intake.decode import pairs
from pumpguard.intake.fields import decode_json
from pumpguard.receipts.base import (
    Reader,
    Receipt,
    ReportedWord,
    check,
    elements,
    member,
    only,
    query,
    when,
)

UNALLOCATED = ("30005",)
"""Unknown destination handset."""

EVENT = "com.twilio.accountsecurity.verify.message."
"""How the types of Verify's events about messages begin."""


class Twilio(Reader):
    """https://www.twilio.com/docs/messaging/guides/track-outbound-message-status and
    https://www.twilio.com/docs/usage/security (HMAC-SHA1 of the URL and the sorted parameters, as
    Twilio's Python client 9.13 computes it, 2026-11-26). It has no time: an old receipt says again
    what is known already. It names no carrier."""

    provider = "twilio"

    def __init__(self, token: str) -> None:
        require(len(token) >= 16, f"receipts.{self.provider}", "the account's auth token")
        self._token = token.encode()

    async def read(self, url: str, headers: Headers, body: bytes, now: float) -> Sequence[Receipt]:
        form = dict(pairs(body, "form field").items())  # refuses names that are there twice
        self._check(url + "".join(name + form[name] for name in sorted(form)), headers)
        word: ReportedWord
        match form.get("MessageStatus"):
            case "delivered" | "read":
                word = "delivered"
            case "undelivered" if form.get("ErrorCode") in UNALLOCATED:
                word = "unallocated"
            case "undelivered":
                word = "undelivered"
            case "failed" | "canceled":
                word = "failed"
            case _:
                return ()
        return (self.receipt(form.get("MessageSid"), word),)

    def _check(self, signed: str, headers: Headers) -> None:
        right = hmac.digest(self._token, signed.encode("utf-8", "surrogateescape"), sha1)
        check(base64.b64encode(right).decode(), only(headers, "x-twilio-signature"))


class TwilioVerify(Twilio):
    """https://www.twilio.com/docs/verify/message-status and
    https://www.twilio.com/docs/events/event-types/verify/message-status (an array of CloudEvents;
    a pilot), posted by a webhook sink as https://www.twilio.com/docs/events/webhook-quickstart
    says: the signature is of the URL, whose ``bodySHA256`` is the body's (Twilio's Python client
    9.13; all read on 2026-11-27).

    ``failed`` is what "the messaging channel provider reports": nothing is given back for it. The
    id is the attempt's, which the sender has from ``send_code_attempts``."""

    provider = "twilio_verify"

    async def read(self, url: str, headers: Headers, body: bytes, now: float) -> Sequence[Receipt]:
        self._check(url, headers)
        check(sha256(body).hexdigest(), query(url).get("bodySHA256", "").lower())
        found = (self._event(event) for event in elements(decode_json(body)))
        return [receipt for receipt in found if receipt is not None]

    def _event(self, found: object) -> Receipt | None:
        event = member(found)
        kind = str(event.get("type"))
        if not kind.startswith(EVENT):
            return None
        data = member(event.get("data"))
        about = when(event.get("time")), data.get("mcc"), data.get("mnc")
        match kind.removeprefix(EVENT):
            case "delivered" | "read":
                return self.receipt(data.get("attempt_sid"), "delivered", *about)
            case "undelivered" | "failed" if data.get("error_code") in UNALLOCATED:
                return self.receipt(data.get("attempt_sid"), "unallocated", *about)
            case "undelivered" | "failed":
                return self.receipt(data.get("attempt_sid"), "undelivered", *about)
        return None
