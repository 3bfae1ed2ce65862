"""One policy over several shards, by the destination's calling code.

Everything about a destination (phone, prefix, country) lives in that destination's shard and keeps
its whole limit. What does not belong to one destination (a network that asks for many countries)
is counted in every shard it asks for, each with its part of the limit. So the whole never admits
more than the limits say; it may admit less to a network whose requests are unevenly spread, and a
ban holds in the shard in which it was earned.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b

from pumpguard.counters import Counter
from pumpguard.counters.plan import Plan


def shard_of(calling_code: str, shards: int) -> int:
    """The shard of a destination, the same in every process."""
    digest = blake2b(calling_code.encode(), digest_size=4).digest()
    return int.from_bytes(digest) % shards


@lru_cache(maxsize=1024)
def spread(plan: Plan, shards: int) -> Plan:
    """The plan as each shard applies it."""
    counters = [_part(counter, shards) for counter in plan.counters]
    return Plan(counters, plan.binds, plan.reports, plan.weights)


def _part(counter: Counter, shards: int) -> Counter:
    return counter if counter.has_destination else counter.divided(shards)
