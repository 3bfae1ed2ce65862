"""Refusals that a page from another origin can read, if the app lets it read answers.

An app often answers for CORS itself, behind the guard: then a refusal, which the app never sees,
would have no such headers, and a browser would keep it from the page's script. So the app is asked
as a browser asks it, by a preflight request, and what it allows there holds for the refusal too.
Where CORS is answered in front of the guard, the app allows nothing, and nothing is added.
"""

from __future__ import annotations

import asyncio

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Scope, Send

ORIGIN, ALLOWED = b"origin", "access-control-allow-origin"
KEPT = (b"host", ORIGIN)
"""Headers of the request that a preflight has as well; never its cookies."""

COPIED = (ALLOWED, "access-control-allow-credentials")

DEADLINE = 1.0
"""Seconds that the app may take to say it; after that nothing is added."""


async def as_the_app_allows(app: ASGIApp, scope: Scope, send: Send) -> Send:
    """A ``send`` that lets the page read the answer if the app says so; for requests without an
    ``Origin`` it is the same one."""
    if scope["type"] != "http" or ORIGIN not in [name for name, _ in scope["headers"]]:
        return send
    allowed = await _preflight(app, scope)
    if not allowed:
        return send

    async def answer(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            if ALLOWED not in headers:
                headers.update(allowed)
                headers.add_vary_header("Origin")
        await send(message)

    return answer


async def _preflight(app: ASGIApp, scope: Scope) -> dict[str, str]:
    """What the app answers a browser that asks whether this page may send such a request."""
    kept = [(name, value) for name, value in scope["headers"] if name in KEPT]
    asked = (b"access-control-request-method", scope["method"].encode())
    allowed: dict[str, str] = {}
    asking, answered = [{"type": "http.request", "body": b"", "more_body": False}], asyncio.Event()

    async def receive() -> Message:
        if asking:
            return asking.pop()
        await answered.wait()
        return {"type": "http.disconnect"}

    async def hear(message: Message) -> None:
        if message["type"] == "http.response.start":
            lower = [(name.lower(), value) for name, value in message.get("headers", ())]
            headers = Headers(raw=lower)
            allowed.update({name: headers[name] for name in COPIED if name in headers})
        elif not message.get("more_body", False):
            answered.set()

    preflight = {**scope, "method": "OPTIONS", "headers": [*kept, asked]}
    try:
        async with asyncio.timeout(DEADLINE):
            await app(preflight, receive, hear)
    except Exception:  # the refusal is answered all the same, and the app's own log has it
        return {}
    return allowed if ALLOWED in allowed else {}
