"""asgi-ratelimit: one script for up to five fixed windows; eight take two stacked middlewares.

It asks for a block with a TTL before each script: two trips per middleware. It does not read the
body, know phones, or charge all or nothing across its two halves.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from functools import partial
from typing import Any

from ratelimit import RateLimitMiddleware, Rule
from ratelimit.backends.redis import RedisBackend
from redis.asyncio import StrictRedis
from starlette.types import ASGIApp, Scope

from ...kit.traffic import PATH
from .. import Variant
from ..app import make_app

WINDOWS = ("second", "minute", "hour", "day", "month")
HALVES = {1: (WINDOWS[2:3],), 8: (WINDOWS, WINDOWS[2:])}


async def address(scope: Scope) -> tuple[str, str]:
    """Whose request it is, and in which group."""
    return scope["client"][0], "default"


async def build(url: str, stack: AsyncExitStack, amount: int, *, limits: int) -> ASGIApp:
    """The app behind one middleware or two."""
    redis: Any = StrictRedis.from_url(url)
    stack.push_async_callback(redis.aclose)
    app: Any = make_app()
    for number, windows in enumerate(HALVES[limits]):
        each: dict[str, Any] = dict.fromkeys(windows, amount)
        rule = Rule(zone=f"{limits}:{number}", **each)
        app = RateLimitMiddleware(app, address, RedisBackend(redis), {f"^{PATH}": [rule]})
    guarded: ASGIApp = app
    return guarded


VARIANTS = [
    Variant(
        f"asgi_ratelimit_{n}", f"asgi-ratelimit, {n} limit{'s' * (n > 1)}", "peer", n,
        partial(build, limits=n), __doc__, "asgi-ratelimit",
    )
    for n in (1, 8)
]  # fmt: skip
