"""slowapi: a decorator on the endpoint, over the synchronous storage of ``limits``.

Fixed windows, its default; no headers, which would cost two more trips. Every limit is a trip of
its own that blocks the event loop. It does not read the body, know phones, or charge all or
nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

from slowapi import Limiter
from slowapi.errors import RateLimitExceeded
from slowapi.util import get_remote_address
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from .. import Variant
from ..app import SendCode, make_app
from . import spans


async def refuse(request: Request, error: Exception) -> Response:
    """429."""
    return Response(status_code=429)


async def build(url: str, stack: AsyncExitStack, amount: int, *, limits: int) -> ASGIApp:
    """The app with its endpoint decorated."""
    limiter: Any = Limiter(key_func=get_remote_address, storage_uri=url)
    stack.callback(limiter._storage.storage.close)
    text = ";".join(f"{amount} per {span} second" for span in spans(limits))
    limit: Callable[..., Callable[..., Awaitable[Any]]] = limiter.limit(text)

    async def send_code(request: Request, body: SendCode) -> dict[str, str]:
        return {"status": "sent"}

    send_code.__annotations__ = {"request": Request, "body": SendCode}
    app = make_app(limit(send_code))
    app.state.limiter = limiter
    app.add_exception_handler(RateLimitExceeded, refuse)
    return app


VARIANTS = [
    Variant(
        f"slowapi_{n}", f"slowapi, {n} limit{'s' * (n > 1)}", "peer", n,
        partial(build, limits=n), __doc__, "slowapi", patient=False,
    )
    for n in (1, 8)
]  # fmt: skip
