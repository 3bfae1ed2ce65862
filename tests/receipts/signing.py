"""Providers that report: each signs with its own client's code, or another one than ours."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, ClassVar, NamedTuple
from urllib.parse import urlencode

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID
from twilio.request_validator import RequestValidator

from tests.asgi import FORM, JSON

URL = "https://app.example/receipts"
TOKEN = "b6d0a1f2c3e4958677a8b9c0d1e2f304"
OTHER = "00d0a1f2c3e4958677a8b9c0d1e2f304"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:receipts"


class Sent(NamedTuple):
    """A request of a provider."""

    body: bytes
    headers: dict[str, str]
    query: str = ""


class Provider:
    """Makes receipts: ``words`` are its own for what ours mean, ``name`` is its path, ``sender``
    what its sender calls itself, if that is another."""

    name: ClassVar[str]
    words: ClassVar[dict[str, str]]
    method: ClassVar[str] = "POST"
    sender: ClassVar[str] = ""
    carrier: ClassVar[str] = ""

    @property
    def secret(self) -> Any:
        """What `pumpguard.receipts.Receipts` is given."""
        return TOKEN

    def report(self, id: str, word: str, at: float, *, key: str = TOKEN) -> Sent:
        """The body and headers of one, signed at this time with this key."""
        raise NotImplementedError


def iso(at: float) -> str:
    """A date as most write it."""
    stamp = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    return stamp.replace("+00:00", "Z")


def hmac_of(key: str, *parts: bytes) -> str:
    """HMAC-SHA256 of these together, in base64."""
    return base64.b64encode(hmac.new(key.encode(), b"".join(parts), "sha256").digest()).decode()


class ByTwilio(Provider):
    name = "twilio"
    words: ClassVar[dict[str, str]] = {
        "delivered": "delivered",
        "undelivered": "undelivered",
        "failed": "failed",
        "unallocated": "undelivered",
        "on its way": "sent",
    }

    def report(self, id: str, word: str, at: float, *, key: str = TOKEN) -> Sent:
        form = {"MessageSid": id, "MessageStatus": self.words[word], "AccountSid": "AC1",
                "To": "+447400123456", "ApiVersion": "2010-04-01"}  # fmt: skip
        if word in ("undelivered", "unallocated"):
            form["ErrorCode"] = "30003" if word == "undelivered" else "30005"
        signature = RequestValidator(key).compute_signature(f"{URL}/twilio", form)
        headers = {"content-type": FORM, "x-twilio-signature": signature}
        return Sent(urlencode(form).encode(), headers)


class ByPlivo(Provider):
    name = "plivo"
    words: ClassVar[dict[str, str]] = {
        "delivered": "delivered",
        "undelivered": "undelivered",
        "failed": "failed",
        "on its way": "queued",
    }

    def report(self, id: str, word: str, at: float, *, key: str = TOKEN) -> Sent:
        form = {"MessageUUID": id, "Status": self.words[word], "To": "447400123456"}
        nonce = "05429567804466091622"
        signature = hmac_of(key, f"{URL}/plivo{nonce}".encode())
        headers = {"content-type": FORM, "x-plivo-signature-v2-nonce": nonce,
                   "x-plivo-signature-v2": signature}  # fmt: skip
        return Sent(urlencode(form).encode(), headers)


class ByVonage(Provider):
    name = "vonage"
    words: ClassVar[dict[str, str]] = {
        "delivered": "delivered",
        "undelivered": "rejected",
        "failed": "undeliverable",
        "on its way": "submitted",
    }

    def report(self, id: str, word: str, at: float, *, key: str = TOKEN) -> Sent:
        content = {"message_uuid": id, "to": "447400123456", "status": self.words[word],
                   "channel": "sms", "timestamp": iso(at)}  # fmt: skip
        body = json.dumps(content).encode()
        claims = {"iat": int(at), "jti": "c5ba8f24", "iss": "Vonage", "api_key": "a1b2c3d",
                  "payload_hash": hashlib.sha256(body).hexdigest()}  # fmt: skip
        token = jwt.encode(claims, key, algorithm="HS256")
        return Sent(body, {"content-type": JSON, "authorization": f"Bearer {token}"})


class ByTelnyx(Provider):
    name = "telnyx"
    carrier = "Vodafone Ltd"
    words: ClassVar[dict[str, str]] = {
        "delivered": "delivered",
        "undelivered": "delivery_failed",
        "failed": "sending_failed",
        "on its way": "sent",
    }

    def __init__(self) -> None:
        self.keys = {key: Ed25519PrivateKey.generate() for key in (TOKEN, OTHER)}

    @property
    def secret(self) -> Any:
        """As the portal shows it."""
        raw = serialization.Encoding.Raw, serialization.PublicFormat.Raw
        return base64.b64encode(self.keys[TOKEN].public_key().public_bytes(*raw)).decode()

    def report(self, id: str, word: str, at: float, *, key: str = TOKEN) -> Sent:
        kind = "message.sent" if word == "on its way" else "message.finalized"
        to = {"phone_number": "+4474", "status": self.words[word], "carrier": self.carrier}
        payload = {"id": id, "to": [to], "completed_at": iso(at)}
        body = json.dumps({"data": {"event_type": kind, "payload": payload}}).encode()
        signature = self.keys[key].sign(f"{int(at)}|".encode() + body)
        headers = {"content-type": JSON, "telnyx-timestamp": str(int(at)),
                   "telnyx-signature-ed25519": base64.b64encode(signature).decode()}  # fmt: skip
        return Sent(body, headers)


class BySns(Provider):
    name, sender = "sns", "aws"
    carrier = "23415"
    words: ClassVar[dict[str, str]] = {
        "delivered": "TEXT_DELIVERED",
        "undelivered": "TEXT_CARRIER_UNREACHABLE",
        "failed": "TEXT_PROTECT_BLOCKED",
        "unallocated": "TEXT_INVALID",
        "on its way": "TEXT_PENDING",
    }

    def __init__(self) -> None:
        self.fetched: list[str] = []

    @property
    def secret(self) -> Any:
        """The topics that it may post from."""
        return [TOPIC]

    @cached_property
    def keys(self) -> dict[str, rsa.RSAPrivateKey]:
        return {key: rsa.generate_private_key(65_537, 2_048) for key in (TOKEN, OTHER)}

    async def fetch(self, url: str) -> bytes:
        """What AWS would answer: the certificate, or nothing of interest."""
        self.fetched.append(url)
        key, now = self.keys[TOKEN], datetime.now(UTC)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
        made = x509.CertificateBuilder(name, name, key.public_key(), 1, now,
                                       now + timedelta(days=9))  # fmt: skip
        return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def report(self, id: str, word: str, at: float, *, key: str = TOKEN) -> Sent:
        event = {"eventType": self.words[word], "messageId": id, "eventTimestamp": int(at * 1000),
                 "isFinal": True, "destinationPhoneNumber": "+447400123456", "mcc": "234",
                 "mnc": "15"}  # fmt: skip
        return self.notify(json.dumps(event), at, key=key)

    def notify(self, message: str, at: float, *, key: str = TOKEN, **changes: Any) -> Sent:
        """A message of a topic."""
        found = {"Type": "Notification", "MessageId": "m", "TopicArn": TOPIC, "Message": message,
                 "Timestamp": iso(at), "SignatureVersion": "2",
                 "SigningCertURL": "https://sns.eu-west-1.amazonaws.com/cert.pem"}  # fmt: skip
        found |= changes
        unsigned = ("SignatureVersion", "SigningCertURL")
        text = "".join(f"{n}\n{found[n]}\n" for n in sorted(found) if n not in unsigned)
        one = found["SignatureVersion"] == "1"
        hashed = hashes.SHA1() if one else hashes.SHA256()
        signature = self.keys[key].sign(text.encode(), padding.PKCS1v15(), hashed)
        found["Signature"] = base64.b64encode(signature).decode()
        return Sent(json.dumps(found).encode(), {"content-type": "text/plain; charset=UTF-8"})
