"""The app's clock: real time, or in a simulation the time that each request says it is."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextvars import ContextVar

from starlette.types import ASGIApp, Receive, Scope, Send

from examples.target_app.http import problem

Clock = Callable[[], float]
"""Returns Unix seconds."""

TIME_HEADER = b"x-sim-time"
HUMAN_HEADER = b"x-sim-human"

_UNIX_SECONDS = re.compile(rb"[0-9]{1,12}(\.[0-9]{1,9})?")
_request_time: ContextVar[float | None] = ContextVar("target_app_request_time", default=None)

real_time: Clock = time.time


def simulated_time() -> float:
    """The time of the request being served; real time where it has none."""
    told = _request_time.get()
    return real_time() if told is None else told


class SimulatedTime:
    """Serves each request at the time in its ``X-Sim-Time`` header."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        told = _headers(scope, TIME_HEADER)
        if len(told) > 1 or not all(_UNIX_SECONDS.fullmatch(value) for value in told):
            reply = problem(400, "Unreadable time", "X-Sim-Time takes one number of Unix seconds.")
            await reply(scope, receive, send)
            return
        token = _request_time.set(float(told[0]) if told else None)
        try:
            await self.app(scope, receive, send)
        finally:
            _request_time.reset(token)


class RefuseSimulation:
    """Refuses simulation headers: outside a simulation they could only be an attempt to cheat."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if _headers(scope, TIME_HEADER, HUMAN_HEADER):
            reply = problem(400, "Not a simulation", "X-Sim headers mean nothing here.")
            await reply(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def _headers(scope: Scope, *names: bytes) -> list[bytes]:
    if scope["type"] != "http":
        return []
    return [value for name, value in scope["headers"] if name in names]
