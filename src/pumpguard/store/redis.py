"""The store for a fleet: one Lua script, one round trip, the server's clock."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b, sha1
from importlib.resources import files

from pumpguard.counters import Ban, Neighbours, Reading
from pumpguard.store.base import Answer, Plan, Question, counts_attempts, feeds, gives_strikes
from pumpguard.store.health import Checkup, Concerns
from pumpguard.store.sharding import shard_of, spread
from pumpguard.store.transport.link import Link
from pumpguard.store.transport.resp import Word
from pumpguard.store.transport.topology import topology_of

FORMAT = "pg1"
"""The version of what is stored: it protects the bytes in a rolling deploy, as the script's hash
protects the code."""

BINDS, ATTEMPTS = 1, 2
NOTHING: Mapping[int, Reading] = {}


def _script() -> str:
    """``decide.lua`` behind the kinds that it calls."""
    store = files("pumpguard.store")
    kinds = [
        store / "kinds" / f"{kind}.lua" for kind in ("window", "distinct", "neighbours", "ban")
    ]
    return "\n".join(part.read_text(encoding="utf-8") for part in (*kinds, store / "decide.lua"))


SCRIPT = _script()
SCRIPT_SHA = sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest()


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
        # In a cluster, shards live on different nodes: each has a link that knows its own.
        self._checkup = Checkup(topology_of(url), [f"{prefix}check" for prefix in self._prefixes])
        on_use = self._checkup.begin if checkup else None
        self._links = [Link(url, deadline=deadline, on_use=on_use) for _ in tags]
        key = blake2b(secret.encode(), digest_size=32).digest()
        self._hash = blake2b(digest_size=10, key=key)

    async def decide(self, question: Question) -> Answer:
        """Ask in one round trip. Raises `StoreError` on any fault or past the deadline."""
        link, prefix, plan = self._links[0], self._prefixes[0], question.plan
        if len(self._links) > 1:
            shard = shard_of(question.destination, len(self._links))
            link, prefix = self._links[shard], self._prefixes[shard]
            plan = spread(plan, len(self._links))
        reply = await link.run(
            SCRIPT_SHA, SCRIPT, self._keys(question, prefix), self._arguments(question, plan)
        )
        return decode(plan, reply)

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

    def _arguments(self, question: Question, plan: Plan) -> list[Word]:
        return [
            0 if question.at is None else int(question.at * 1000),
            int(question.refused),
            question.jitter,
            encode(plan),
            question.place,
            b"".join([self._member(question.members[i]) for i in plan.member_order]),
            _fed(plan, question.refused_by) if question.refused_by else b"",
        ]

    def _member(self, member: str) -> bytes:
        hashed = self._hash.copy()
        hashed.update(member.encode("utf-8", "surrogatepass"))
        return hashed.digest()[:4]


@lru_cache(maxsize=1024)
def encode(plan: Plan) -> bytes:
    """A plan as ``decide.lua`` reads it. Raises `ValueError` in the one case in millions where two
    counters of a subject cannot be told apart; rename a rule."""
    places = plan.order
    encoded = [bytes([plan.reports, len(plan.binding_bans)])]
    for i in plan.binding_bans:
        encoded.append(bytes([places.index(i), plan.group_of[i]]) + _id(plan.identities[i]))
    for group in plan.grouped:
        ids = [_id(plan.identities[i]) for i in group]
        if len(set(ids)) != len(ids):
            raise ValueError("two counters of one subject have the same id: rename a rule")
        encoded.append(bytes([len(group)]))
        encoded += [_spec(plan, i, each) for i, each in zip(group, ids, strict=True)]
    return b"".join(encoded)


def _id(identity: str) -> bytes:
    return blake2b(identity.encode(), digest_size=3).digest()


def _spec(plan: Plan, i: int, each: bytes) -> bytes:
    counter = plan.counters[i]
    flags = (BINDS if plan.binds[i] else 0) | (ATTEMPTS if counts_attempts(counter) else 0)
    limit = counter.strikes if isinstance(counter, Ban) else counter.limit
    kind = type(counter).__name__[0].encode()
    span = counter.seconds * 1000
    head = struct.pack(">cB", kind, flags) + each + struct.pack(">IQ", limit, span)
    match counter:
        case Neighbours():
            return head + struct.pack(">H", counter.distance)
        case Ban():
            return head + _ban_tail(plan, counter)
    return head


def _ban_tail(plan: Plan, ban: Ban) -> bytes:
    feeders = bytes(
        place
        for place, i in enumerate(plan.order)
        if gives_strikes(plan.counters[i]) and feeds(ban, frozenset({plan.counters[i].rule}))
    )
    shape = struct.pack(">IIIdd", ban.base, ban.cap, ban.memory, ban.factor, ban.jitter)
    return shape + bytes([len(feeders)]) + feeders


def _fed(plan: Plan, refused_by: frozenset[str]) -> bytes:
    """The bans to which rules that spoke before the store gave a strike."""
    return bytes(
        place
        for place, i in enumerate(plan.order)
        if isinstance(ban := plan.counters[i], Ban) and feeds(ban, refused_by)
    )


def decode(plan: Plan, reply: list[int]) -> Answer:
    """The script's reply as an answer."""
    now = reply[1] / 1000
    if len(reply) == 2:
        return Answer(bool(reply[0]), NOTHING, now)
    places = plan.order
    triples = zip(reply[2::3], reply[3::3], reply[4::3], strict=True)
    readings = {places[i]: Reading(used, wait / 1000) for i, used, wait in triples}
    return Answer(bool(reply[0]), readings, now)
