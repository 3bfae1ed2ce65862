"""fastapi-guard: its pure ASGI middleware, one limit per address and its ban look-up.

It has one global limit. Its detection of attacks in requests is off: on, it takes tens of
milliseconds for each, which has nothing to do with limits. It does not know phones.
"""

from __future__ import annotations

import logging
from contextlib import AsyncExitStack
from typing import Any

from guard.asgi import PureASGISecurityMiddleware
from guard_core.models import SecurityConfig
from starlette.types import ASGIApp

from .. import Variant
from ..app import make_app


async def build(url: str, stack: AsyncExitStack, amount: int) -> ASGIApp:
    """The app behind the middleware."""
    settings: dict[str, Any] = {
        "enable_redis": True,
        "redis_url": url,
        "rate_limit": amount,
        "rate_limit_window": 3_600,
        "enable_penetration_detection": False,
    }
    guarded: Any = PureASGISecurityMiddleware(make_app(), config=SecurityConfig(**settings))
    logging.getLogger("guard_core").setLevel(logging.CRITICAL)
    handler = guarded._engine.redis_handler
    if handler is not None:
        stack.push_async_callback(handler.close)
    asgi: ASGIApp = guarded
    return asgi


VARIANTS = [
    Variant("fastapi_guard", "fastapi-guard, 1 limit", "peer", 1, build, __doc__, "fastapi-guard")
]
