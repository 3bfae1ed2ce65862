"""What each identity server posts, written from its documentation, and how it signs."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

KEY = b"0123456789abcdef01234567"
WHSEC = "v1,whsec_" + base64.b64encode(KEY).decode()
SECRET = "b6d0a1f2c3e4958677a8b9c0d1e2f304"
CODE, ADDRESS = "561166", "81.2.69.142"

Answer = tuple[int, Any]
Sign = Callable[[bytes, int], Mapping[str, str]]


def standard_webhooks(body: bytes, at: int) -> Mapping[str, str]:
    """Two secrets, as while one is rotated: Supabase puts a comma between the signatures."""
    signed = f"msg.{at}.".encode() + body
    right = base64.b64encode(hmac.digest(KEY, signed, sha256)).decode()
    other = base64.b64encode(hmac.digest(b"another", signed, sha256)).decode()
    return {
        "webhook-id": "msg",
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{other}, v1,{right}",
    }


def zitadel(body: bytes, at: int) -> Mapping[str, str]:
    right = hmac.new(SECRET.encode(), f"{at}.".encode() + body, sha256).hexdigest()
    return {"zitadel-signature": f"t={at},v1={right}"}


def authgear(body: bytes, at: int) -> Mapping[str, str]:
    return {"x-authgear-body-signature": hmac.new(SECRET.encode(), body, sha256).hexdigest()}


def bearer(body: bytes, at: int) -> Mapping[str, str]:
    return {"authorization": f"Bearer {SECRET}"}


def verbatim(body: bytes, at: int) -> Mapping[str, str]:
    return {"authorization": SECRET}


def basic(body: bytes, at: int) -> Mapping[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"me:{SECRET}".encode()).decode()}


@dataclass
class Server:
    """One of them: what it posts about a number, the text that goes out, and its answers."""

    name: str
    secret: str
    sign: Sign
    body: Callable[[str], dict[str, Any]]
    text: str
    sent: Answer
    throttled: Answer
    blocked: Answer
    failed: Answer
    address: bool = True

    def post(self, phone: str, at: float, **more: Any) -> tuple[bytes, dict[str, str]]:
        """The body of a hook about this number, and its headers."""
        body = json.dumps({**self.body(phone), **more}).encode()
        return body, {"content-type": "application/json", **self.sign(body, int(at))}


PLAIN: tuple[Answer, Answer, Answer, Answer] = (
    (200, {"status": "sent"}), (429, None), (403, None), (503, None),
)  # fmt: skip
TAKEN = (200, {"status": "taken"})


def error(status: int, message: str) -> tuple[int, Any]:
    """How Supabase is told."""
    return 200, {"error": {"http_code": status, "message": message}}


SERVERS = [
    Server(
        "supabase", WHSEC, standard_webhooks,
        lambda phone: {
            "metadata": {"uuid": "8b1c", "time": "2026-11-26T10:00:00Z", "name": "send-sms",
                         "ip_address": ADDRESS},
            "user": {"id": "6481a5c1", "aud": "authenticated", "phone": phone[1:],
                     "app_metadata": {"provider": "phone"}, "is_anonymous": False},
            "sms": {"otp": CODE, "sms_type": "verification"},
        },
        f"{CODE} is your code.", (200, {}),
        error(429, "Please wait 3600 seconds, then ask again."),
        error(403, "No code can be sent for this request. Check the number."),
        error(503, "No code can be sent right now."),
    ),
    Server(
        "logto", SECRET, verbatim,
        lambda phone: {"to": phone, "type": "SignIn", "payload": {"code": CODE}, "ip": ADDRESS},
        f"{CODE} is your code.", *PLAIN,
    ),
    Server(
        "auth0", SECRET, bearer,
        lambda phone: {
            "notification": {"recipient": phone, "as_text": f"Shop: {CODE}", "code": CODE,
                             "delivery_method": "text", "message_type": "otp_verify"},
            "request": {"ip": ADDRESS}, "user": {"user_id": "auth0|1"},
        },
        f"Shop: {CODE}", *PLAIN,
    ),
    Server(
        "fusionauth", SECRET, basic,
        lambda phone: {"code": CODE, "phoneNumber": phone, "textMessage": f"Two factor: {CODE}",
                       "type": "SMS", "userId": "c1f5"},
        f"Two factor: {CODE}", *PLAIN, address=False,
    ),
    Server(
        "zitadel", SECRET, zitadel,
        lambda phone: {
            "contextInfo": {"eventType": "user.human.phone.code.added", "provider": {"id": "2"},
                            "recipientPhoneNumber": phone},
            "templateData": {"text": f"Verify with {CODE}"}, "args": {"code": CODE},
        },
        f"Verify with {CODE}", TAKEN, TAKEN, TAKEN, TAKEN, address=False,
    ),
    Server(
        "authgear", SECRET, authgear,
        lambda phone: {"to": phone, "body": f"{CODE} is your shop code.", "app_id": "shop",
                       "template_variables": {"code": CODE}},
        f"{CODE} is your shop code.", (200, {"code": "ok"}), (200, {"code": "rate_limited"}),
        (200, {"code": "delivery_rejected"}), (200, {"code": "delivery_rejected"}), address=False,
    ),
    Server(
        "better-auth", SECRET, bearer,
        lambda phone: {"phone": phone, "code": CODE, "address": ADDRESS},
        f"{CODE} is your code.", *PLAIN,
    ),
    Server(
        "keycloak", SECRET, verbatim,
        lambda phone: {"phone": phone, "text": f"Your SMS code is {CODE}"},
        f"Your SMS code is {CODE}", *PLAIN, address=False,
    ),
]  # fmt: skip
