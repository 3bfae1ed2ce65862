"""The store that a URL names."""

from __future__ import annotations

from pumpguard.policy import Policy
from pumpguard.store.ban_cache import BanCache
from pumpguard.store.base import Store
from pumpguard.store.breaker import Breaker
from pumpguard.store.memory import MemoryStore


def open_store(url: str, policy: Policy) -> Store:
    """The store that a URL names; over a network, behind a breaker and a memory for bans."""
    if url.startswith("memory://"):
        return MemoryStore()
    from pumpguard.store.redis import RedisStore

    redis = RedisStore(
        url,
        name=policy.name,
        secret=policy.secret,
        deadline=policy.deadline,
        shards=policy.shards,
        checkup=True,
    )
    return BanCache(Breaker(redis))
