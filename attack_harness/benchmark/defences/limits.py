"""Rate limits as most of the web recommends them, exact, and keyed on canonical numbers.

They are kinder to themselves than most that are in use: no spelling of a number gets past them, no
window has an edge, and a refused request charges nothing.
"""

from __future__ import annotations

import json
from collections import defaultdict, deque
from collections.abc import Iterable
from typing import Any, NamedTuple

from examples.target_app.numbering import e164

from ...targets import AsgiApp, Message, Receive, Send

SEND = "/otp/send"
MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0


class Asked(NamedTuple):
    """One request for a message: the canonical number, the client's address, and when."""

    phone: str
    address: str
    at: float


class Limit(NamedTuple):
    """At most so many per subject within so many seconds."""

    subject: str
    most: int
    seconds: float


class Limits:
    """An ASGI app in front of an app; subclasses say which limits a request meets."""

    def __init__(self, app: AsgiApp) -> None:
        self._app = app
        self._seen: dict[tuple[str, float], deque[float]] = defaultdict(deque)

    def limits(self, asked: Asked) -> Iterable[Limit]:
        """The limits that apply to one request."""
        raise NotImplementedError

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Refuse, or count and pass on."""
        if scope["type"] != "http" or scope["path"] != SEND:
            await self._app(scope, receive, send)
            return
        message = await receive()
        asked = _read(scope, message.get("body", b""))
        wait = self._wait(asked) if asked else 0.0
        if wait > 0:
            await refuse(send, wait)
            return
        waiting = [message]

        async def replay() -> Message:
            return waiting.pop() if waiting else await receive()

        await self._app(scope, replay, send)

    def _wait(self, asked: Asked) -> float:
        """Seconds until it would be let through; 0 charges it and lets it through now."""
        limits = list(self.limits(asked))
        wait = max((self._left(limit, asked.at) for limit in limits), default=0.0)
        if wait <= 0:
            for limit in limits:
                self._seen[limit.subject, limit.seconds].append(asked.at)
        return wait

    def _left(self, limit: Limit, at: float) -> float:
        seen = self._seen[limit.subject, limit.seconds]
        while seen and seen[0] <= at - limit.seconds:
            seen.popleft()
        return seen[-limit.most] + limit.seconds - at if len(seen) >= limit.most else 0.0


class PerAddress(Limits):
    """A limit per client address and nothing else."""

    def limits(self, asked: Asked) -> Iterable[Limit]:
        """15 an hour."""
        return (Limit(asked.address, 15, HOUR),)


class Checklist(Limits):
    """What the checklists say: a cooldown, quotas per number, a limit per address."""

    def limits(self, asked: Asked) -> Iterable[Limit]:
        """One a minute, 3 an hour and 5 a day per number; 15 an hour per address."""
        return (
            Limit(asked.phone, 1, MINUTE),
            Limit(asked.phone, 3, HOUR),
            Limit(asked.phone, 5, DAY),
            Limit(asked.address, 15, HOUR),
        )


class FixedPrefix(Limits):
    """The last three digits dropped, ten a day for what remains (an AWS sample's rule)."""

    def limits(self, asked: Asked) -> Iterable[Limit]:
        """10 a day per 1,000 numbers."""
        return (Limit(asked.phone[:-3], 10, DAY),)


async def refuse(send: Send, wait: float) -> None:
    """Answer 429 and say when to come back."""
    headers = [(b"retry-after", b"%d" % (int(wait) + 1))]
    await send({"type": "http.response.start", "status": 429, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def _read(scope: Message, body: bytes) -> Asked | None:
    """What is asked; None for what the app cannot read and will refuse itself."""
    try:
        said: Any = json.loads(body)
        phone = e164(str(said["phone"]), str(said.get("code", "")))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    headers = dict(scope["headers"])
    address = headers.get(b"x-forwarded-for", b"").decode()
    return Asked(phone, address, float(headers[b"x-sim-time"])) if phone else None
