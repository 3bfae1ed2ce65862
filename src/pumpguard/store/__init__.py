"""Where counters are kept. It knows neither HTTP nor phones."""

from __future__ import annotations

from pumpguard.store.base import Store
from pumpguard.store.full_cache import FullCache
from pumpguard.store.memory import MemoryStore


def open_store(
    url: str, *, name: str, secret: str, deadline: float, shards: int, routes: str = ""
) -> Store:
    """A `MemoryStore` for ``memory://``, else a `RedisStore` with these arguments behind a
    `FullCache`. Raises `PolicyError` for a URL that cannot be understood."""
    if url.startswith("memory://"):
        return MemoryStore()
    from pumpguard.store.redis import RedisStore

    redis = RedisStore(
        url, name=name, secret=secret, deadline=deadline, shards=shards, checkup=True, routes=routes
    )
    return FullCache(redis, shards=shards)
