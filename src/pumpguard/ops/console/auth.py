"""Who may use the console: people with a session cookie, programs with the token.

Nothing is kept: a session is in its signed cookie, so every process with the same token accepts it,
and a new token ends all sessions. Wrong tokens are counted per network and slow down guessing.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from pumpguard.errors import IntakeError, PolicyError
from pumpguard.intake.address import Address, TrustedProxies, network_of

MIN_TOKEN = 24
"""Characters of a token. NIST SP 800-63B-4 asks for 15 of a password that people choose; this one
is made by a machine, and 24 of base64 are 144 bits."""

MIN_DISTINCT = 8
"""Different characters that a random token of that length has at the very least."""

LIFETIME = 8 * 3_600.0
"""Seconds of a session: a working day."""

COOKIE = "pumpguard_console"

PAUSE = 0.5
"""Seconds before a wrong token is answered."""

MAX_WRONG, WRONG_WINDOW = 5, 600.0
"""Wrong tokens per network in so many seconds. Tokens have 144 bits: this only spares the log."""

MAX_NETWORKS = 10_000
"""Networks whose wrong tokens are remembered."""

logger = logging.getLogger("pumpguard")


@dataclass(frozen=True, slots=True)
class Session:
    """A person who has signed in, until when (Unix seconds), and the token in their forms."""

    author: str
    until: float
    form_token: str


class WrongTokens:
    """Counts wrong tokens per network in a sliding-window log. ``clock`` gives Unix seconds.

    Clients without a known address are not counted: they would all be one client, and anybody could
    lock the operator out.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._times: dict[str, tuple[float, ...]] = {}

    def wait(self, address: Address | None) -> float:
        """Seconds until this client may try again; 0 if it may now."""
        times = self._recent(address)
        return 0.0 if len(times) < MAX_WRONG else times[-MAX_WRONG] + WRONG_WINDOW - self._clock()

    def count(self, address: Address | None) -> None:
        if address is None:
            return
        network, times = network_of(address), (*self._recent(address), self._clock())
        self._times.pop(network, None)
        while len(self._times) >= MAX_NETWORKS:
            del self._times[next(iter(self._times))]  # the one with the oldest last wrong token
        self._times[network] = times[-MAX_WRONG:]

    def _recent(self, address: Address | None) -> tuple[float, ...]:
        known = () if address is None else self._times.get(network_of(address), ())
        return tuple(at for at in known if at > self._clock() - WRONG_WINDOW)


class Authenticator:
    """Checks every request to the console, and signs session cookies.

    ``clock`` gives Unix seconds. ``secure`` is the cookie's ``Secure``; ``None`` sets it for
    requests that came by HTTPS. Raises `PolicyError` for a weak token; its checks raise
    `IntakeError`.
    """

    def __init__(
        self, token: str, clock: Callable[[], float], proxies: TrustedProxies, secure: bool | None
    ) -> None:
        if len(token) < MIN_TOKEN or len(set(token)) < MIN_DISTINCT:  # the error must not repeat it
            wanted = f"at least {MIN_TOKEN} random characters, such as from: openssl rand -hex 24"
            raise PolicyError("token", wanted)
        self._token = _bytes(token)
        self._key = blake2b(self._token, person=b"pg console").digest()
        self._clock = clock
        self._wrong = WrongTokens(clock)
        self._proxies = proxies
        self._secure = secure

    def session(self, request: Request) -> Session | None:
        """The session of a request's cookie; ``None`` if it has ended or the signature is wrong."""
        text, _, signature = request.cookies.get(COOKIE, "").partition(".")
        if not hmac.compare_digest(self._mac("session", _bytes(text)).hex(), _ascii(signature)):
            return None
        session = json.loads(base64.urlsafe_b64decode(text))
        if self._clock() >= session["until"]:
            return None
        form_token = self._mac("form", _bytes(text)).hex()
        return Session(session["author"], session["until"], form_token)

    def check_form(self, request: Request, session: Session, form: Mapping[str, str]) -> None:
        """Refuse a form that was not shown in this session."""
        check_origin(request)
        if not hmac.compare_digest(session.form_token, _ascii(form.get("form_token", ""))):
            detail = "This form is from another session; load the page again."
            raise IntakeError(403, "stale-form", "Not this form", detail)

    async def check_program(self, request: Request) -> None:
        """Refuse a request without the token in its ``Authorization`` header."""
        check_origin(request)
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        await self.check_token(request, token.strip() if scheme.lower() == "bearer" else None)

    async def check_token(self, request: Request, token: str | None) -> None:
        """Refuse another token than ours; wrong ones are counted, and answered after `PAUSE`."""
        if token is None:
            detail = "Say the token: Authorization: Bearer …"
            raise IntakeError(401, "unauthorized", "Not signed in", detail)
        address = self._proxies.client(request.scope)
        if self._wrong.wait(address) > 0:
            detail = "Too many wrong tokens from this address; try again later."
            raise IntakeError(429, "too-many-tries", "Too many tries", detail)
        ours = self._mac("token", self._token)
        if not hmac.compare_digest(self._mac("token", _bytes(token)), ours):  # in constant time
            self._wrong.count(address)
            logger.warning("PG051 console sign-in refused: wrong token")
            await asyncio.sleep(PAUSE)
            raise IntakeError(401, "unauthorized", "Not signed in", "This is not the token.")

    def sign_in(self, request: Request, reply: Response, author: str) -> None:
        session = {"author": author, "until": self._clock() + LIFETIME, "id": secrets.token_hex(8)}
        text = base64.urlsafe_b64encode(json.dumps(session).encode())
        cookie = f"{text.decode()}.{self._mac('session', text).hex()}"
        reply.set_cookie(COOKIE, cookie, max_age=int(LIFETIME), **self._cookie(request))  # type: ignore[arg-type]

    def sign_out(self, request: Request, reply: Response) -> None:
        reply.delete_cookie(COOKIE, **self._cookie(request))  # type: ignore[arg-type]

    def _mac(self, purpose: str, text: bytes) -> bytes:
        return blake2b(text, key=self._key, digest_size=32, person=purpose.encode()).digest()

    def _cookie(self, request: Request) -> dict[str, object]:
        secure = request.url.scheme == "https" if self._secure is None else self._secure
        path = request.scope.get("root_path", "") + "/"
        return {"path": path, "secure": secure, "httponly": True, "samesite": "strict"}


def check_origin(request: Request) -> None:
    """Refuse a request that another site's page has sent. Raises `IntakeError`.

    ``Sec-Fetch-Site`` is the browser's own statement; older browsers only send ``Origin``, which is
    compared with ``Host``. Programs send neither, and no cookies either.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        foreign = site not in ("same-origin", "none")
    else:
        foreign = origin is not None and urlsplit(origin).netloc != request.headers.get("host")
    if foreign:
        detail = "This request comes from another site's page."
        raise IntakeError(403, "foreign-origin", "Not from here", detail)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _ascii(text: str) -> str:
    return text if text.isascii() else ""
