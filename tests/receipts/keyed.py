"""More providers that report: those that sign addresses, and those that are told a secret."""

from __future__ import annotations

import hashlib
import json
from typing import Any, ClassVar
from urllib.parse import urlencode

import jwt
from twilio.request_validator import RequestValidator

from pumpguard.receipts.base import Shared
from tests.asgi import JSON
from tests.receipts.signing import TOKEN, URL, Provider, Sent, hmac_of, iso

CARRIER = "23415"


class ByVerify(Provider):
    """An event, as Twilio's client would find it signed."""

    name = "twilio_verify"
    carrier = CARRIER
    words: ClassVar[dict[str, str]] = {
        "delivered": "delivered",
        "undelivered": "failed",
        "unallocated": "undelivered",
        "on its way": "sent",
    }

    def report(self, id: str, word: str, at: float, *, key: str = TOKEN) -> Sent:
        data = {"attempt_sid": id, "verification_sid": "VE1", "channel": "SMS", "mcc": "234",
                "mnc": "15", "error_code": "30005" if word == "unallocated" else ""}  # fmt: skip
        kind = f"com.twilio.accountsecurity.verify.message.{self.words[word]}"
        return self.post([{"type": kind, "time": iso(at), "data": data}], key=key)

    def post(self, events: Any, *, key: str = TOKEN) -> Sent:
        """Any events."""
        body = json.dumps(events).encode()
        query = urlencode({"bodySHA256": hashlib.sha256(body).hexdigest()})
        signature = RequestValidator(key).compute_signature(f"{URL}/{self.name}?{query}", {})
        return Sent(body, {"content-type": JSON, "x-twilio-signature": signature}, query)


class BySinch(Provider):
    """Signed, as the account manager has turned it on."""

    name = "sinch"
    carrier = CARRIER
    words: ClassVar[dict[str, str]] = {
        "delivered": "Delivered",
        "undelivered": "Rejected",
        "failed": "Aborted",
        "on its way": "Dispatched",
    }

    def content(self, id: str, word: str, at: float) -> bytes:
        """What it says."""
        report = {"type": "recipient_delivery_report_sms", "batch_id": id, "code": 0,
                  "status": self.words[word], "recipient": "447400123456", "at": iso(at),
                  "operator": CARRIER, "operator_status_at": iso(at)}  # fmt: skip
        return json.dumps(report).encode()

    def report(self, id: str, word: str, at: float, *, key: str = TOKEN) -> Sent:
        body, nonce, stamp = self.content(id, word, at), "01FJA8B4A7BM43YGWSG9GBV067", str(int(at))
        name = "x-sinch-webhook-signature"
        headers = {"content-type": JSON, f"{name}-nonce": nonce, f"{name}-timestamp": stamp,
                   name: hmac_of(key, body, f".{nonce}.{stamp}".encode())}  # fmt: skip
        return Sent(body, headers)


class ByMessageBird(Provider):
    """A GET, with a token over its address."""

    name = "messagebird"
    method = "GET"
    carrier = CARRIER
    words: ClassVar[dict[str, str]] = {
        "delivered": "delivered",
        "undelivered": "expired",
        "unallocated": "delivery_failed",
        "on its way": "buffered",
    }

    def report(self, id: str, word: str, at: float, *, key: str = TOKEN) -> Sent:
        said = {"id": id, "reference": "r", "recipient": "447400123456", "mccmnc": CARRIER,
                "status": self.words[word], "statusDatetime": iso(at)}  # fmt: skip
        if word == "unallocated":
            said["statusErrorCode"] = "1"
        query = urlencode(said)
        hashed = hashlib.sha256(f"{URL}/{self.name}?{query}".encode()).hexdigest()
        claims = {"iss": "MessageBird", "nbf": int(at), "exp": int(at) + 60, "jti": "1",
                  "url_hash": hashed}  # fmt: skip
        return Sent(b"", {"messagebird-signature-jwt": jwt.encode(claims, key)}, query)


class ByBird(Provider):
    name = "bird"
    words: ClassVar[dict[str, str]] = {
        "delivered": "delivered",
        "undelivered": "delivery_failed",
        "failed": "sending_failed",
        "unallocated": "delivery_failed",
        "on its way": "sent",
    }

    def report(self, id: str, word: str, at: float, *, key: str = TOKEN) -> Sent:
        message: dict[str, Any] = {"id": id, "status": self.words[word], "lastStatusAt": iso(at)}
        if word == "failed":
            message["failure"] = {"code": 12_003}
        if word == "unallocated":
            message |= {"details": "unknown_subscriber", "failure": {"code": 15_005}}
        return self.post("sms.outbound", message, at, key=key)

    def post(self, event: str, message: Any, at: float, *, key: str = TOKEN) -> Sent:
        """Any event."""
        body = json.dumps({"service": "channels", "event": event, "payload": message}).encode()
        stamp = str(int(at))
        signed = f"{stamp}\n{URL}/{self.name}\n".encode(), hashlib.sha256(body).digest()
        headers = {"content-type": JSON, "messagebird-request-timestamp": stamp,
                   "messagebird-signature": hmac_of(key, *signed)}  # fmt: skip
        return Sent(body, headers)


class ByInfobip(Provider):
    """Which knows the address."""

    name = "infobip"
    carrier = CARRIER
    words: ClassVar[dict[str, str]] = {
        "delivered": "3 5 DELIVERED_TO_HANDSET",
        "undelivered": "4 15 EXPIRED_EXPIRED",
        "failed": "5 6 REJECTED_NETWORK",
        "unallocated": "2 9 UNDELIVERABLE_NOT_DELIVERED",
        "on its way": "3 2 DELIVERED_TO_OPERATOR",
    }

    def report(self, id: str, word: str, at: float, *, key: str = TOKEN) -> Sent:
        group, status, name = self.words[word].split()
        error = "EC_UNKNOWN_SUBSCRIBER" if word == "unallocated" else "NO_ERROR"
        result = {"messageId": id, "to": "447400123456", "doneAt": iso(at).replace("Z", "+0000"),
                  "mccMnc": CARRIER, "error": {"name": error},
                  "status": {"groupId": int(group), "id": int(status), "name": name}}  # fmt: skip
        body = json.dumps({"results": [result]}).encode()
        key = Shared("infobip", key).key
        return Sent(body, {"content-type": JSON}, f"key={key}")
