"""A guarded app that sends by a wrapped function, in whatever way its test says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pumpguard import Action, Attempt, Finding
from tests.asgi import PHONE, Reply, ask
from tests.otp_app import guarded

SHADOWED = "+447400999999"

Way = Callable[[str], Awaitable[object]]
"""How an endpoint has a message sent to a number."""


def quiet(attempt: Attempt) -> Finding | None:
    """A rule that shadows one number."""
    return Finding("quiet", Action.SHADOW, "Q") if attempt.phone.e164 == SHADOWED else None


class Site:
    """The app, and the guard in front of it."""

    def __init__(self, way: Way, status: int = 202, **policy: Any) -> None:
        self.status = status

        async def endpoint(request: Request) -> Response:
            await way((await request.json())["phone"])
            return JSONResponse({"status": "sent"}, self.status)

        self.app = Starlette(routes=[Route("/otp/send", endpoint, methods=["POST"])])
        self.guarded = guarded(self.app, rules=(quiet,), **policy)

    async def ask(self, phone: str = PHONE) -> Reply:
        """One request, and whatever was left running after it."""
        reply = await ask(self.guarded, phone)
        for _ in range(5):
            await asyncio.sleep(0)
        return reply
