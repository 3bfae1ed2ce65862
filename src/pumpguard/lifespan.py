"""The app's whole life, for its guard: what is queued is delivered before it ends."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from starlette.types import ASGIApp, Message, Receive, Scope, Send

AnyApp: TypeAlias = Callable[[Any, Any, Any], Awaitable[None]]
"""An ASGI app; every framework has types of its own for a scope, what receives, and what sends."""


def live(app: ASGIApp, close: Callable[[], Awaitable[None]]) -> ASGIApp:
    """The app, for its lifespan. A server may end it as soon as it has heard that the app has shut
    down, so ``close`` is awaited before it hears that."""

    async def living(scope: Scope, receive: Receive, send: Send) -> None:
        closed = False

        async def closing(message: Message) -> None:
            nonlocal closed
            if message["type"].startswith("lifespan.shutdown.") and not closed:
                closed = True
                await close()
            await send(message)

        try:
            await app(scope, receive, closing)
        finally:
            if not closed:
                await close()

    return living
