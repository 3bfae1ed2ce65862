"""AWS End User Messaging's events, as an SNS topic posts them.

Contracts: https://docs.aws.amazon.com/sns/latest/dg/
sns-verify-signature-of-message-verify-message-signature.html (read on 2026-11-27) and
https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-event-format.html (read on
2026-11-26).
"""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from starlette.datastructures import Headers

from pumpguard.config import require
from pumpguard.errors import IntakeError
from pumpguard.external import ExternalService, Unavailable
from pumpguard.intake.fields import decode_json
from pumpguard.receipts.base import (
    FORGED,
    UNREADABLE,
    Reader,
    Receipt,
    ReportedWord,
    member,
    require_cryptography,
    when,
)

AWS = re.compile(r"https://sns\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?/")
"""Where certificates and confirmations of subscriptions are asked for, and nowhere else."""

HOUR = 3_600
"""Seconds for which a message of SNS is accepted: it tries again for so long."""

SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": (
        "Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type",
    ),
}  # fmt: skip
"""What is signed of each type, in this order, where it is there."""

WORDS: dict[str, ReportedWord] = {
    "TEXT_DELIVERED": "delivered",
    "TEXT_BLOCKED": "undelivered",
    "TEXT_CARRIER_BLOCKED": "undelivered",
    "TEXT_CARRIER_UNREACHABLE": "undelivered",
    "TEXT_INVALID": "unallocated",
    "TEXT_INVALID_MESSAGE": "undelivered",
    "TEXT_PROTECT_BLOCKED": "failed",
    "TEXT_SPAM": "undelivered",
    "TEXT_TTL_EXPIRED": "undelivered",
    "TEXT_UNKNOWN": "undelivered",
    "TEXT_UNREACHABLE": "undelivered",
}
"""What its final events say. ``TEXT_PROTECT_BLOCKED`` is what AWS itself has not sent."""

Fetch = Callable[[str], Awaitable[bytes]]


class SnsTopics(Reader):
    """Reads what the topics of these ARNs post, and confirms their subscriptions. Needs the
    ``[receipts]`` extra."""

    provider = "aws"

    def __init__(self, topics: Sequence[str], fetch: Fetch | None = None) -> None:
        for i, topic in enumerate(topics):
            require(topic.startswith("arn:aws"), f"receipts.sns.{i}", "a topic's ARN", topic)
        require_cryptography()
        self._topics = frozenset(topics)
        self._fetch = fetch or _Web().get
        self._keys: dict[str, Any] = {}

    async def read(self, url: str, headers: Headers, body: bytes, now: float) -> Sequence[Receipt]:
        found = member(decode_json(body))
        kind = found.get("Type")
        if kind not in SIGNED or found.get("TopicArn") not in self._topics:
            raise FORGED
        await self._check(found, SIGNED[str(kind)])
        sent = when(found.get("Timestamp"))
        if sent is None:
            raise UNREADABLE
        if abs(sent - now) > HOUR:
            raise FORGED
        if kind == "SubscriptionConfirmation":
            await self._get(found.get("SubscribeURL"))
            return ()
        event = member(decode_json(str(found.get("Message")).encode("utf-8", "surrogatepass")))
        word = WORDS.get(str(event.get("eventType")))
        if word is None:
            return ()
        at = event.get("eventTimestamp")
        seconds = at / 1000 if isinstance(at, int | float) else None
        return (
            self.receipt(event.get("messageId"), word, seconds, event.get("mcc"), event.get("mnc")),
        )

    async def _check(self, found: Any, names: Sequence[str]) -> None:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding

        there = [name for name in names if name in found]
        signed = "".join(f"{name}\n{found[name]}\n" for name in there)
        hashed = hashes.SHA256() if found.get("SignatureVersion") == "2" else hashes.SHA1()  # noqa: S303
        try:
            signature = base64.b64decode(str(found.get("Signature")), validate=True)
            key = await self._key(found.get("SigningCertURL"))
            key.verify(
                signature, signed.encode("utf-8", "surrogatepass"), padding.PKCS1v15(), hashed
            )
        except (InvalidSignature, ValueError):
            raise FORGED from None

    async def _key(self, url: object) -> Any:
        from cryptography.x509 import load_pem_x509_certificate

        if url not in self._keys:
            certificate = load_pem_x509_certificate(await self._get(url))
            if len(self._keys) >= 10:  # one for a region, and they change once a year
                self._keys.clear()
            self._keys[str(url)] = certificate.public_key()
        return self._keys[str(url)]

    async def _get(self, url: object) -> bytes:
        if not isinstance(url, str) or not AWS.match(url):
            raise FORGED
        try:
            return await self._fetch(url)
        except Unavailable:
            away = "What AWS has to be asked for cannot be had."
            raise IntakeError(503, "unavailable", "Try again", away) from None


class _Web:
    """Asks AWS, within a deadline."""

    def __init__(self) -> None:
        outage = "PG112 AWS cannot be asked for what its receipts need (%s); for %d s they wait"
        self._service = ExternalService(3.0, time.monotonic, outage)

    async def get(self, url: str) -> bytes:
        async def ask(client: Any) -> bytes:
            reply = await client.get(url)
            reply.raise_for_status()
            return bytes(reply.content)

        return await self._service.ask(ask)
