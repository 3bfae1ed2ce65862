"""The smallest app that sends codes, and the guards that tests put in front of it."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from pumpguard import Policy, PumpGuardMiddleware, current_decision
from pumpguard.intake.network import UnknownNetworks
from pumpguard.rules import RateLimit, Rule
from pumpguard.store.base import Store
from pumpguard.testing import FakeClock


class Outbox:
    """An SMS provider that remembers what it was asked to send."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def send(self, phone: str) -> str:
        """Send a message, and return its id."""
        self.sent.append(phone)
        return f"message-{len(self.sent)}"


def otp_app(outbox: Outbox, path: str = "/otp/send") -> Starlette:
    """An app that sends to the number the guard has read."""

    async def send(request: Request) -> Response:
        await request.body()
        decision = current_decision()
        outbox.send(decision.attempt.phone.e164 if decision else "nobody asked the guard")
        return JSONResponse({"status": "sent"}, 202)

    return Starlette(routes=[Route(path, send, methods=["GET", "POST"])])


def one_per_minute(by: str | tuple[str, ...] = "phone") -> tuple[Rule, ...]:
    """A chain of one plain limit."""
    return (RateLimit(name="limit", by=by, limits="1/minute"),)


def guarded(
    app: ASGIApp,
    *,
    rules: Any = None,
    store: str | Store = "memory://",
    clock: FakeClock | None = None,
    **policy: Any,
) -> PumpGuardMiddleware:
    """The app behind a limit of one message per phone and minute, or whatever else is said."""
    policy = {"send": "/otp/send", "rules": rules or one_per_minute(), "deadline": 10, **policy}
    return PumpGuardMiddleware(
        app, Policy(**policy), store, clock=clock or FakeClock(), networks=UnknownNetworks()
    )
