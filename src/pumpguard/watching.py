"""Learns outcomes from the app's own answers, without touching them."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pumpguard.errors import IntakeError
from pumpguard.guard import Guard

FAILURE = 500
REDIRECTION = 300

logger = logging.getLogger("pumpguard")


class Watched:
    """A ``send`` that remembers the status of what passed through it."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status: int | None = None

    async def __call__(self, message: Message) -> None:
        """Pass a message on."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
        await self._send(message)

    @property
    def failed(self) -> bool:
        """Whether the app said that it failed. That it said nothing proves nothing."""
        return self.status is not None and self.status >= FAILURE


class Overheard:
    """A ``receive`` that keeps the body passing through it, as far as it is not too long."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._left = limit
        self._chunks: list[bytes] = []

    async def __call__(self) -> Message:
        """Hand a message on."""
        message = await self._receive()
        if message["type"] == "http.request":
            chunk = message.get("body", b"")
            self._left -= len(chunk)
            if self._left >= 0:
                self._chunks.append(chunk)
        return message

    @property
    def body(self) -> bytes | None:
        """The body that the app has read, or ``None`` if it was too long."""
        return b"".join(self._chunks) if self._left >= 0 else None


class Verification:
    """One request to a route where codes are entered. The app answers it; success is learnt."""

    def __init__(self, app: ASGIApp, guard: Guard, parameters: Mapping[str, str]) -> None:
        self.app = app
        self.guard = guard
        self.parameters = parameters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the app answer."""
        overheard = Overheard(receive, self.guard.policy.max_body)
        watched = Watched(send)
        await self.app(scope, overheard, watched)
        if watched.status is not None and watched.status < REDIRECTION:
            self._learn(scope, overheard.body)
        if self.guard.simulated:  # a simulation must come out the same every time
            await self.guard.settled()

    def _learn(self, scope: Scope, body: bytes | None) -> None:
        if body is None:
            return
        try:
            phone = self.guard.reader.verified_phone(scope, body, self.parameters)
        except IntakeError as error:
            logger.info("PG024 verification ignored, its number cannot be read: %s", error.detail)
        except Exception:
            logger.exception("PG024 verification ignored, its number cannot be read")
        else:
            self.guard.verified(phone.e164)
