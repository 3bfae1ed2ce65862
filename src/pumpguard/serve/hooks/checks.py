"""How a hook proves where it comes from. All compare in constant time and raise `IntakeError`."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from hashlib import sha256
from typing import TypeAlias

from starlette.datastructures import Headers

from pumpguard.errors import IntakeError, PolicyError

Check: TypeAlias = Callable[[str, Headers, bytes, float], None]
"""Refuses a request unless its headers prove its body, by the secret, at this time."""

TOLERANCE = 300
"""Seconds by which a signed time may differ from ours, as in Standard Webhooks and Zitadel."""

MIN_SECRET = 24

FORGED = IntakeError(401, "unauthorized", "Not authentic", "This hook is not signed as agreed.")


def standard_webhooks(secret: str, headers: Headers, body: bytes, now: float) -> None:
    """https://github.com/standard-webhooks/standard-webhooks (spec 1.0.0), as supabase/auth's
    internal/hooks/hookshttp signs (both read on 2026-11-27), which gives each try of one hook an id
    of its own. The secret is ``v1,whsec_<base64>``."""
    id, at = one(headers, "webhook-id"), one(headers, "webhook-timestamp")
    _recent(at, now)
    key = base64.b64decode(secret.removeprefix("v1,").removeprefix("whsec_"))
    right = base64.b64encode(hmac.digest(key, f"{id}.{at}.".encode() + body, sha256)).decode()
    said = re.split(r"[ ,]+", one(headers, "webhook-signature"))  # v1,… v1,… or v1,…, v1,…
    _require(one_of(right, said))


def zitadel(secret: str, headers: Headers, body: bytes, now: float) -> None:
    """``ZITADEL-Signature: t=…,v1=<hex>``, as zitadel's pkg/actions/signing.go computes it (read on
    2026-11-26)."""
    pairs = [each.partition("=") for each in one(headers, "zitadel-signature").split(",")]
    times = [value for name, _, value in pairs if name == "t"]
    _require(len(times) == 1)
    _recent(times[0], now)
    right = hmac.new(secret.encode(), f"{times[0]}.".encode() + body, sha256).hexdigest()
    _require(one_of(right, [value for name, _, value in pairs if name == "v1"]))


def authgear(secret: str, headers: Headers, body: bytes, now: float) -> None:
    """``x-authgear-body-signature``: the HMAC-SHA256 of the body in hex. It has no time.
    https://docs.authgear.com, Advanced, Hooks, Webhook Signature (read on 2026-11-26)."""
    right = hmac.new(secret.encode(), body, sha256).hexdigest()
    _require(one_of(right, [one(headers, "x-authgear-body-signature")]))


def authorization(secret: str, headers: Headers, body: bytes, now: float) -> None:
    """The secret in ``Authorization``: as it stands, as a bearer token, or as the password of basic
    authentication. Nothing is signed: it is as good as the HTTPS in front."""
    said = one(headers, "authorization")
    scheme, _, value = said.partition(" ")
    passwords = [said]
    if scheme.lower() == "bearer":
        passwords.append(value.strip())
    if scheme.lower() == "basic":
        with suppress(binascii.Error, UnicodeDecodeError):
            passwords.append(base64.b64decode(value, validate=True).decode().partition(":")[2])
    _require(one_of(secret, passwords))


def check_secret(check: Check, secret: str, path: str) -> None:
    """Raise `PolicyError` for a secret that this check cannot go by, without repeating it."""
    if check is standard_webhooks:
        try:
            key = base64.b64decode(secret.removeprefix("v1,").removeprefix("whsec_"), validate=True)
        except binascii.Error:
            key = b""
        if len(key) < MIN_SECRET:  # the specification asks for 24 to 64 bytes
            raise PolicyError(path, "the secret as the server shows it: v1,whsec_…")
    elif len(secret) < MIN_SECRET:
        raise PolicyError(path, f"at least {MIN_SECRET} characters")


def one(headers: Headers, name: str) -> str:
    """The header, which has to be there once."""
    found = headers.getlist(name)
    _require(len(found) == 1)
    return found[0]


def one_of(right: str, said: Sequence[str]) -> bool:
    """Whether one of these texts is the right one: all are compared, each in constant time."""
    found = False
    for each in said:
        found |= hmac.compare_digest(right.encode(), each.encode("utf-8", "surrogatepass"))
    return found


def _recent(at: str, now: float) -> None:
    _require(at.isascii() and at.isdecimal() and len(at) < 12 and abs(int(at) - now) <= TOLERANCE)


def _require(right: bool) -> None:
    if not right:
        raise FORGED
