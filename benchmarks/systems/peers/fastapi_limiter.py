"""fastapi-limiter 0.2: dependencies over pyrate-limiter's Redis bucket, a sorted set per key.

Its plain limiter ignores the identity, so a factory hands out one bucket per key, as its
documentation shows. A lock is held over each Redis call; the sets have no expiry. It does not read
the body, know phones, or charge all or nothing.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from functools import partial
from typing import Any

from fastapi import Depends
from fastapi_limiter.depends import RateLimiter
from pyrate_limiter import AbstractBucket, BucketFactory, Limiter, Rate, RateItem
from pyrate_limiter.buckets import RedisBucket
from pyrate_limiter.buckets.redis_bucket import LuaScript
from redis.asyncio import Redis
from starlette.requests import Request
from starlette.types import ASGIApp

from .. import Variant
from ..app import make_app
from . import spans


class PerKey(BucketFactory):
    """A bucket in Redis for every key."""

    def __init__(self, redis: Redis, sha: str, rate: Rate) -> None:
        self._redis = redis
        self._sha = sha
        self._rate = rate

    async def wrap_item(self, name: str, weight: int = 1) -> RateItem:
        """The item at its bucket's time."""
        now: Any = self._bucket(name).now
        return RateItem(name, now(), weight=weight)

    def get(self, item: RateItem) -> AbstractBucket:
        """The item's bucket."""
        return self._bucket(item.name)

    def _bucket(self, name: str) -> RedisBucket:
        return RedisBucket([self._rate], self._redis, f"{name}:{self._rate.interval}", self._sha)


async def address(request: Request) -> str:
    """Whose request it is."""
    return request.client.host if request.client else ""


async def build(url: str, stack: AsyncExitStack, amount: int, *, limits: int) -> ASGIApp:
    """The app with a dependency per limit."""
    redis: Any = Redis.from_url(url)
    stack.push_async_callback(redis.aclose)
    sha = await redis.script_load(LuaScript.PUT_ITEM)
    rates = [Rate(amount, span * 1_000) for span in spans(limits)]
    limiters = [Limiter(PerKey(redis, sha, rate)) for rate in rates]
    return make_app(dependencies=[Depends(RateLimiter(each, address)) for each in limiters])


VARIANTS = [
    Variant(
        f"fastapi_limiter_{n}", f"fastapi-limiter, {n} limit{'s' * (n > 1)}", "peer", n,
        partial(build, limits=n), __doc__, "fastapi-limiter",
    )
    for n in (1, 8)
]  # fmt: skip
