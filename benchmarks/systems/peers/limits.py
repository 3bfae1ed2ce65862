"""limits: its asyncio strategies over redis-py, in a pure ASGI middleware.

One trip per limit, one after the other: gathering them halves the latency and lowers the
throughput. It does not read the body, know phones, or charge all or nothing.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from functools import partial
from typing import Any

from limits import RateLimitItemPerSecond
from limits.aio import strategies
from limits.storage import storage_from_string
from starlette.types import ASGIApp, Receive, Scope, Send

from .. import Variant
from ..app import make_app
from . import spans

STRATEGIES: dict[str, Any] = {
    "fixed": strategies.FixedWindowRateLimiter,
    "moving": strategies.MovingWindowRateLimiter,
    "sliding": strategies.SlidingWindowCounterRateLimiter,
}


class Limited:
    """Refuses with 429 where one of the limits is reached."""

    def __init__(self, app: ASGIApp, strategy: Any, items: list[RateLimitItemPerSecond]) -> None:
        self.app = app
        self._strategy = strategy
        self._items = items

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hit every limit, then pass on."""
        for item in self._items:
            if not await self._strategy.hit(item, scope["client"][0]):
                await send({"type": "http.response.start", "status": 429, "headers": []})
                await send({"type": "http.response.body", "body": b""})
                return
        await self.app(scope, receive, send)


async def build(
    url: str, stack: AsyncExitStack, amount: int, *, limits: int, strategy: str
) -> ASGIApp:
    """The app behind the middleware."""
    storage: Any = storage_from_string(
        f"async+{url}", implementation="redispy", key_prefix=f"{strategy}{limits}"
    )
    stack.push_async_callback(storage.bridge.storage.aclose)
    items = [RateLimitItemPerSecond(amount, span) for span in spans(limits)]
    return Limited(make_app(), STRATEGIES[strategy](storage), items)


VARIANTS = [
    Variant(
        f"limits_{strategy}_{n}", f"limits {strategy}, {n} limit{'s' * (n > 1)}", "peer", n,
        partial(build, limits=n, strategy=strategy), __doc__, "limits",
    )
    for strategy in STRATEGIES
    for n in (1, 8)
]  # fmt: skip
