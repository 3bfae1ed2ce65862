"""The store for a fleet: one Lua script, one round trip, the server's clock."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Sequence
from hashlib import blake2b

from pumpguard.counters import identity
from pumpguard.store.asking import decode, encode, fed, refused, short_id
from pumpguard.store.base import Answer, Question, Redeemed, Redemption, Settlement, Subject
from pumpguard.store.encoding import (
    REDEEM,
    SETTLE,
    decide_script,
    facts,
    outcome,
    redeemed,
    redemption_facts,
)
from pumpguard.store.health import Checkup, Concerns
from pumpguard.store.plan import Plan
from pumpguard.store.sharding import shard_of, spread
from pumpguard.store.shared_orders import VERSION, SharedOrders
from pumpguard.store.transport.link import Link
from pumpguard.store.transport.resp import Word
from pumpguard.store.transport.topology import topology_of

FORMAT = "pg1"
"""The version of what is stored: it protects the bytes in a rolling deploy, as the script's hash
protects the code."""

SETTLED_AT_ONCE = 16
"""Outcomes per script call."""


class RedisStore:
    """Counters in Redis or Valkey, shared by every process that uses the same ``name``.

    ``url`` is ``redis://``, ``rediss://`` or ``unix://``, ``redis+sentinel://h:p,h:p/service`` or
    ``redis+cluster://h:p,h:p``. ``secret`` keys the hashes under which phones and networks are
    stored. ``deadline`` (seconds) bounds the whole call; nothing that may have counted is sent
    again. ``shards`` spreads the keys by calling code (see `pumpguard.store.sharding`).
    With ``checkup``, the server is looked at once in the background (`pumpguard.store.health`).
    Raises `PolicyError` for a URL that cannot be understood; connects when first asked.
    """

    def __init__(
        self,
        url: str,
        *,
        name: str = "default",
        secret: str = "",
        deadline: float = 0.05,
        shards: int = 1,
        checkup: bool = False,
    ) -> None:
        tags = [name] if shards == 1 else [f"{name}-{shard}" for shard in range(shards)]
        self._prefixes = [f"{FORMAT}:{{{tag}}}:" for tag in tags]
        self._checkup = Checkup(topology_of(url), [f"{prefix}check" for prefix in self._prefixes])
        on_use = self._checkup.begin if checkup else None
        # In a cluster, shards live on different nodes: each has a link that knows its own.
        self._links = [Link(url, deadline=deadline, on_use=on_use) for _ in tags]
        key = blake2b(secret.encode(), digest_size=32).digest()
        self._hash = blake2b(digest_size=10, key=key)
        self.orders = SharedOrders(self._links, self._prefixes)

    async def decide(self, question: Question) -> Answer:
        """Ask in one round trip. Raises `StoreError` on any fault or past the deadline."""
        link, prefix, plan = self._links[0], self._prefixes[0], question.plan
        if len(self._links) > 1:
            shard = shard_of(question.destination, len(self._links))
            link, prefix = self._links[shard], self._prefixes[shard]
            plan = spread(plan, len(self._links))
        keys = self._keys(question, prefix)
        sha, script = decide_script(plan.kinds, plan.in_slices)
        arguments = self._arguments(question, plan, keys)
        reply = await link.run(sha, script, (*keys, prefix + VERSION), arguments)
        answer = decode(plan, reply)
        if answer.admitted and plan.writes_tickets:
            answer.ticket = question.ticket
        return answer

    async def redeem(self, redemption: Redemption) -> Redeemed:
        """Take a number's open tickets in one round trip. Raises `StoreError`."""
        shard = shard_of(redemption.destination, len(self._links))
        arguments = (
            0 if redemption.at is None else int(redemption.at * 1000),
            redemption_facts(
                redemption,
                short_id(identity(redemption.known)),
                short_id(identity(redemption.tickets)),
            ),
        )
        digest = self._digest(redemption.known.by, redemption.phone)
        key = self._prefixes[shard] + digest.hex()
        return redeemed(await self._links[shard].run(*REDEEM, (key,), arguments))

    async def settle(self, settlements: Sequence[Settlement]) -> int:
        """Apply outcomes, up to 16 of one shard per round trip. Raises `StoreError`."""
        by_shard: dict[int, list[Settlement]] = {}
        applied = 0
        for settlement in settlements:
            if not settlement.plan.groups:  # nobody has to know
                applied += settlement.outcome != "failed"
                continue
            shard = shard_of(settlement.destination, len(self._links))
            by_shard.setdefault(shard, []).append(settlement)
        for shard, mine in by_shard.items():
            for first in range(0, len(mine), SETTLED_AT_ONCE):
                applied += await self._settle(shard, mine[first : first + SETTLED_AT_ONCE])
        return applied

    async def _settle(self, shard: int, settlements: Sequence[Settlement]) -> int:
        keys: list[str] = []
        arguments: list[Word] = []
        for each in settlements:
            plan, prefix = each.plan, self._prefixes[shard]
            for by, subject in zip(plan.groups, each.subjects, strict=True):
                keys.append(prefix + self._digest(by, subject).hex())
            network = self._digest("network", each.network)[:2] if each.network else bytes(2)
            plan = spread(plan, len(self._links)) if len(self._links) > 1 else plan
            arguments += encode(plan), outcome(each, network)
        return int(await self._links[shard].run(*SETTLE, keys, arguments))

    async def check(self) -> Concerns:
        """What an operator should mend about the server, or about the cluster's that we use."""
        return await self._checkup.now()

    async def aclose(self) -> None:
        """Close this event loop's connections."""
        await self._checkup.end()
        await asyncio.gather(*(link.aclose() for link in self._links))

    def keys(self, question: Question) -> list[str]:
        """One key per subject: format version, policy (the hash tag), keyed hash."""
        shard = shard_of(question.destination, len(self._prefixes))
        return self._keys(question, self._prefixes[shard])

    def _keys(self, question: Question, prefix: str) -> list[str]:
        keys = []
        for by, subject in zip(question.plan.groups, question.subjects, strict=True):
            hashed = self._hash.copy()
            # A dimension has no NUL, so no two pairs run together.
            hashed.update(f"{by}\0{subject}".encode("utf-8", "surrogatepass"))
            keys.append(prefix + hashed.hexdigest())
        return keys

    def _digest(self, by: str, subject: Subject) -> bytes:
        """What keys are made of; a ticket remembers it instead of the subject."""
        if isinstance(subject, bytes):
            return subject
        hashed = self._hash.copy()
        hashed.update(f"{by}\0{subject}".encode("utf-8", "surrogatepass"))
        return hashed.digest()

    def _arguments(self, question: Question, plan: Plan, keys: list[str]) -> list[Word]:
        words: list[Word] = [
            0 if question.at is None else int(question.at * 1000),
            refused(question, plan),
            question.jitter,
            encode(plan),
            question.place,
            b"".join([self._member(question.members[i]) for i in plan.member_order]),
            fed(plan, question.refused_by) if question.refused_by else b"",
            facts(question, keys) if plan.settled else b"",
            question.orders,
        ]
        if plan.weights:
            words.append(struct.pack(">dd", question.score, question.bound))
        return words

    def _member(self, member: str) -> bytes:
        hashed = self._hash.copy()
        hashed.update(member.encode("utf-8", "surrogatepass"))
        return hashed.digest()[:4]
