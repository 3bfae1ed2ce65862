"""throttled-py: its asyncio sliding window, the cheapest of its atomic algorithms.

One trip per limit, one after the other, in a pure ASGI middleware. It does not read the body, know
phones, or charge all or nothing.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send
from throttled.asyncio import RateLimiterType, RedisStore, Throttled, per_duration

from .. import Variant
from ..app import make_app
from . import spans


class Limited:
    """Refuses with 429 where one of the limits is reached."""

    def __init__(self, app: ASGIApp, limits: list[Any]) -> None:
        self.app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Ask every limit, then pass on."""
        address = scope["client"][0]
        for number, limit in enumerate(self._limits):
            if (await limit.limit(f"{number}:{address}")).limited:
                await send({"type": "http.response.start", "status": 429, "headers": []})
                await send({"type": "http.response.body", "body": b""})
                return
        await self.app(scope, receive, send)


async def build(url: str, stack: AsyncExitStack, amount: int, *, limits: int) -> ASGIApp:
    """The app behind the middleware."""
    store: Any = RedisStore(server=url)
    stack.push_async_callback(store._backend.get_client().connection_pool.disconnect)
    using = RateLimiterType.SLIDING_WINDOW.value
    quotas = [per_duration(timedelta(seconds=span), amount) for span in spans(limits)]
    own = {"using": using, "store": store, "key_prefix": f"throttled{limits}"}
    return Limited(make_app(), [Throttled(quota=quota, **own) for quota in quotas])


VARIANTS = [
    Variant(
        f"throttled_{n}", f"throttled-py, {n} limit{'s' * (n > 1)}", "peer", n,
        partial(build, limits=n), __doc__, "throttled-py",
    )
    for n in (1, 8)
]  # fmt: skip
