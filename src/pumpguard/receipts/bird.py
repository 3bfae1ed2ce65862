"""MessageBird's, of its SMS API, and Bird's, of the Channels API."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence
from hashlib import sha256

from starlette.datastructures import Headers

from pumpguard.config import require
from pumpguard.intake.fields import decode_json
from pumpguard.receipts.base import (
    FORGED,
    Reader,
    Receipt,
    check,
    claims_of,
    member,
    only,
    query,
    recent,
    seconds,
    when,
)

UNKNOWN_SUBSCRIBER = "1"
"""https://docs.bird.com/api/channels-api/message-status-and-interactions/message-failure-sources/
sms-platform-extended-error-codes (read on 2026-11-27): EC_UNKNOWN_SUBSCRIBER."""

NEVER_SENT = range(11_000, 13_000)
"""Failure codes of the Channels API itself: validation (11…) and its own services (12…), by
…/message-status-and-interactions/message-failure-codes (read on 2026-11-27)."""


class MessageBird(Reader):
    """A status report is a GET: https://support.messagebird.com/hc/en-us/articles/360001869258 (it
    comes for messages with a ``reference`` alone), signed by a JWT in ``MessageBird-Signature-JWT``
    as MessageBird's own Python client checks it (github.com/messagebird/python-rest-api,
    request_validator.py); both read on 2026-11-27. ``statusErrorCode`` is what two public
    integrations read of a report (github.com/tutorcruncher/morpheus, its tests of
    such requests; github.com/padosoft/laravel-rebel-channel-bird; both read on 2026-11-27).
    ``mccmnc`` is called so in a message; that a report has it was found nowhere.

    It never says that it has not handed a message over, so nothing is given back."""

    provider = "messagebird"
    method = "GET"

    def __init__(self, key: str) -> None:
        require(len(key) >= 16, "receipts.messagebird", "the account's signing key")
        self._key = key.encode()

    async def read(self, url: str, headers: Headers, body: bytes, now: float) -> Sequence[Receipt]:
        claims = claims_of(only(headers, "messagebird-signature-jwt"), self._key)
        begins, ends = (claims.get(name) for name in ("nbf", "exp"))
        if not (isinstance(begins, int | float) and isinstance(ends, int | float)):
            raise FORGED
        if claims.get("iss") != "MessageBird" or not begins - 1 <= now <= ends + 1:
            raise FORGED
        check(sha256(url.encode("utf-8", "surrogatepass")).hexdigest(), str(claims.get("url_hash")))
        hashed = sha256(body).hexdigest() if body else ""
        check(hashed, str(claims.get("payload_hash") or ""))
        found = query(url)
        id, at = found.get("id"), when(found.get("statusDatetime"))
        carrier = found.get("mccmnc")
        match found.get("status"):
            case "delivered":
                return (self.receipt(id, "delivered", at, carrier),)
            case "delivery_failed" if found.get("statusErrorCode") == UNKNOWN_SUBSCRIBER:
                return (self.receipt(id, "unallocated", at, carrier),)
            case "delivery_failed" | "expired":
                return (self.receipt(id, "undelivered", at, carrier),)
        return ()


class Bird(Reader):
    """https://docs.bird.com/api/notifications-api/api-reference/webhook-subscriptions/
    verifying-a-webhook-subscription (HMAC-SHA256 of time, address and the body's hash; read on
    2026-11-27), of a subscription to ``sms.outbound``. The payload is a message of the Channels
    API, as https://docs.bird.com/api/channels-api/message-status-and-interactions/
    message-failure-codes shows one; service and event are named as
    https://docs.bird.com/api/channels-api/message-status-and-interactions has them, and the whole
    envelope (with ``payload``) as the test event of a public integration does
    (@pipedream/messagebird 0.1.0); all read on 2026-11-27."""

    provider = "bird"

    def __init__(self, key: str) -> None:
        require(len(key) >= 16, "receipts.bird", "the subscription's signing key")
        self._key = key.encode()

    async def read(self, url: str, headers: Headers, body: bytes, now: float) -> Sequence[Receipt]:
        at = only(headers, "messagebird-request-timestamp")
        signed = f"{at}\n{url}\n".encode("utf-8", "surrogatepass") + sha256(body).digest()
        right = base64.b64encode(hmac.digest(self._key, signed, sha256)).decode()
        check(right, only(headers, "messagebird-signature"))
        if not recent(seconds(at), now):
            raise FORGED
        found = member(decode_json(body))
        if found.get("event") != "sms.outbound":
            return ()
        message = member(found.get("payload"))
        id, last = message.get("id"), when(message.get("lastStatusAt"))
        failure = message.get("failure")
        code = failure.get("code") if isinstance(failure, dict) else None
        match message.get("status"):
            case "delivered":
                return (self.receipt(id, "delivered", last),)
            case "sending_failed" if code in NEVER_SENT:
                return (self.receipt(id, "failed", last),)
            case "delivery_failed" if message.get("details") == "unknown_subscriber":
                return (self.receipt(id, "unallocated", last),)
            case "delivery_failed" | "sending_failed":
                return (self.receipt(id, "undelivered", last),)
        return ()
