"""Who may come in: a token, then a signed cookie; and which requests a page of ours has sent.

Nothing is kept: a session is what its signature says, so every process with the same token knows
it, and another token ends them all.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from urllib.parse import urlsplit

from pumpguard.errors import PolicyError

SHORTEST = 24
"""Characters of a token. NIST SP 800-63B-4 asks for 15 of a password that people choose; this one
is made by a machine, and 24 of base64 are 144 bits."""

VARIED = 8
"""Different characters that a random token of that length has at the very least."""

LIFETIME = 8 * 3_600.0
"""Seconds of a session: a working day."""

COOKIE = "pumpguard_console"


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who has come in: who, until when (Unix seconds), and what their forms carry."""

    author: str
    until: float
    form_token: str


class Access:
    """Knows the token and what was signed with it. Raises `PolicyError` for a weak token."""

    def __init__(self, token: str, clock: Callable[[], float]) -> None:
        if len(token) < SHORTEST or len(set(token)) < VARIED:  # and it is not repeated here
            wanted = f"at least {SHORTEST} random characters, such as from: openssl rand -hex 24"
            raise PolicyError("token", wanted)
        self._token = _bytes(token)
        self._key = blake2b(self._token, person=b"pg console").digest()
        self._clock = clock

    def opens(self, said: str) -> bool:
        """Whether this is the token; takes as long if it is not."""
        return hmac.compare_digest(
            self._mac("token", _bytes(said)), self._mac("token", self._token)
        )

    def bearer(self, headers: Mapping[str, str]) -> str | None:
        """The token that a program says in its ``Authorization`` header."""
        scheme, _, said = headers.get("authorization", "").partition(" ")
        return said.strip() if scheme.lower() == "bearer" else None

    def admit(self, author: str) -> str:
        """The cookie of a new session."""
        told = {"author": author, "until": self._clock() + LIFETIME, "id": secrets.token_hex(8)}
        text = base64.urlsafe_b64encode(json.dumps(told).encode())
        return f"{text.decode()}.{self._mac('session', text).hex()}"

    def session(self, cookie: str | None) -> Session | None:
        """The session of a cookie, unless it is over, or none of ours."""
        text, _, signature = (cookie or "").partition(".")
        if not hmac.compare_digest(self._mac("session", _bytes(text)).hex(), _ascii(signature)):
            return None
        told = json.loads(base64.urlsafe_b64decode(text))
        if self._clock() >= told["until"]:
            return None
        form_token = self._mac("form", _bytes(text)).hex()
        return Session(told["author"], told["until"], form_token)

    def _mac(self, what: str, said: bytes) -> bytes:
        return blake2b(said, key=self._key, digest_size=32, person=what.encode()).digest()


def matches(session: Session, form_token: str | None) -> bool:
    """Whether a form is one that we have shown in this very session."""
    return hmac.compare_digest(session.form_token, _ascii(form_token or ""))


def from_elsewhere(headers: Mapping[str, str]) -> bool:
    """Whether the browser says that another site's page has sent a request.

    ``Sec-Fetch-Site`` is the browser's own verdict; older ones say only ``Origin``, which is held
    against ``Host``. Programs say neither, and bring no cookies along unasked.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _ascii(text: str) -> str:
    return text if text.isascii() else ""
