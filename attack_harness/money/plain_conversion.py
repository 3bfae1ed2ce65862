"""The conversion rule that everybody publishes, as a few lines in front of an app.

It refuses a range for an hour when fewer than 35 % of its codes were entered over at least 20
messages of the last hour (Vonage: 35 % per network; IronAuth: 30 % over 20 in an hour, one hour).
The range is a block of 10,000 numbers, which is kinder to it than the networks of the vendors.
"""

from __future__ import annotations

import json
from collections import defaultdict, deque
from typing import Any

from ..targets import AsgiApp, Message, Receive, Send

SHARE, LEAST, HOUR = 0.35, 20, 3_600.0
RANGE_DIGITS = 4


class PlainConversion:
    """An ASGI app in front of the example app; it sees what any middleware would see."""

    def __init__(self, app: AsgiApp) -> None:
        self._app = app
        self._sent: dict[str, deque[float]] = defaultdict(deque)
        self._entered: dict[str, deque[float]] = defaultdict(deque)
        self._refused_until: dict[str, float] = {}

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Refuse, or pass on and count what the app answers."""
        if scope["type"] != "http" or scope["path"] not in ("/otp/send", "/otp/verify"):
            await self._app(scope, receive, send)
            return
        message = await receive()
        block, at = _block(message["body"]), _time(scope)
        sending = scope["path"] == "/otp/send"
        if sending and self._refuses(block, at):
            await send({"type": "http.response.start", "status": 429, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        waiting = [message]

        async def replay() -> Message:
            return waiting.pop() if waiting else await receive()

        async def counted(answer: Message) -> None:
            if answer["type"] == "http.response.start" and answer["status"] < 300:
                (self._sent if sending else self._entered)[block].append(at)
            await send(answer)

        await self._app(scope, replay, counted)

    def _refuses(self, block: str, at: float) -> bool:
        if at < self._refused_until.get(block, 0.0):
            return True
        for times in (self._sent[block], self._entered[block]):
            while times and times[0] <= at - HOUR:
                times.popleft()
        sent, entered = len(self._sent[block]), len(self._entered[block])
        if sent < LEAST or entered >= SHARE * sent:
            return False
        self._refused_until[block] = at + HOUR
        return True


def _block(body: bytes) -> str:
    said: Any = json.loads(body or b"{}")
    return str(said.get("phone", ""))[:-RANGE_DIGITS]


def _time(scope: Message) -> float:
    return float(dict(scope["headers"])[b"x-sim-time"])
