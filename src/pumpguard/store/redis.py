"""The store for a fleet: one Lua script, one round trip, the server's clock."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from hashlib import blake2b

from pumpguard.counters import Ban, Counter, Mix, Reading, Spend, Spike, Trie, Trust, identity
from pumpguard.decision import Action
from pumpguard.store.base import (
    Answer,
    Plan,
    Question,
    Redeemed,
    Redemption,
    Settlement,
    Subject,
    Weight,
    counts_attempts,
    feeds,
    gives_strikes,
)
from pumpguard.store.encoding import (
    REDEEM,
    SETTLE,
    decide_script,
    facts,
    kind,
    outcome,
    redeemed,
    redemption_facts,
    six,
    tail,
)
from pumpguard.store.health import Checkup, Concerns
from pumpguard.store.sharding import shard_of, spread
from pumpguard.store.shared_orders import VERSION, SharedOrders
from pumpguard.store.transport.link import Link
from pumpguard.store.transport.resp import Word
from pumpguard.store.transport.topology import topology_of

FORMAT = "pg1"
"""The version of what is stored: it protects the bytes in a rolling deploy, as the script's hash
protects the code."""

BINDS, ATTEMPTS = 1, 2
REPORTS, WEIGHS = 1, 2
HIDDEN = 128
ADMITTED, KNOWN, OUTDATED = 1, 2, -1
REFUSED, UNLESS_KNOWN = 1, 2
NOTHING: Mapping[int, Reading] = {}


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
        sha, script = decide_script(plan.kinds)
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
                redemption, _id(identity(redemption.known)), _id(identity(redemption.tickets))
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
            _refused(question, plan),
            question.jitter,
            encode(plan),
            question.place,
            b"".join([self._member(question.members[i]) for i in plan.member_order]),
            _fed(plan, question.refused_by) if question.refused_by else b"",
            facts(question, keys) if plan.settled else b"",
            question.digits if plan.grows else b"",
            question.orders,
        ]
        if plan.weights:
            words.append(struct.pack(">dd", question.score, question.bound))
        return words

    def _member(self, member: str) -> bytes:
        hashed = self._hash.copy()
        hashed.update(member.encode("utf-8", "surrogatepass"))
        return hashed.digest()[:4]


@lru_cache(maxsize=1024)
def encode(plan: Plan) -> bytes:
    """A plan as ``decide.lua`` reads it. Raises `ValueError` in the one case in millions where two
    counters of a subject cannot be told apart; rename a rule."""
    places = plan.order
    flags = (REPORTS if plan.reports else 0) | (WEIGHS if plan.weights else 0)
    encoded = [bytes([flags, len(plan.binding_bans)])]
    for i in plan.binding_bans:
        hidden = HIDDEN if plan.counters[i].action is Action.SHADOW else 0
        group = plan.group_of[i] + hidden
        encoded.append(bytes([places.index(i), group]) + _id(plan.identities[i]))
    for together in plan.grouped:
        ids = [_id(plan.identities[i]) for i in together]
        if len(set(ids)) != len(ids) - _shared(plan, together):
            raise ValueError("two counters of one subject have the same id: rename a rule")
        encoded.append(bytes([len(together)]))
        encoded += [_spec(plan, i, each) for i, each in zip(together, ids, strict=True)]
    if plan.weights:
        encoded.append(bytes([len(plan.weights)]))
        encoded += [_weight(plan, weight) for weight in plan.weights]
    return b"".join(encoded)


def _shared(plan: Plan, group: Sequence[int]) -> int:
    """How many counters are another look at a sum that is there already."""
    sums = [plan.identities[i] for i in group if isinstance(plan.counters[i], Spend)]
    return len(sums) - len(set(sums))


def _id(identity: str) -> bytes:
    return blake2b(identity.encode(), digest_size=3).digest()


def _spec(plan: Plan, i: int, each: bytes) -> bytes:
    counter = plan.counters[i]
    flags = (BINDS if plan.binds[i] else 0) | (ATTEMPTS if counts_attempts(counter) else 0)
    limit = _limit(counter)
    span = getattr(counter, "seconds", 0) * 1000
    head = kind(counter) + bytes([flags]) + each + six(limit) + six(span)
    return head + (_ban_tail(plan, counter) if isinstance(counter, Ban) else tail(counter))


def _limit(counter: Counter) -> int:
    match counter:
        case Ban():
            return counter.strikes
        case Trie() | Mix() | Spike():
            return counter.minimum
        case Trust():
            return counter.gain
    return getattr(counter, "limit", 0)


def _ban_tail(plan: Plan, ban: Ban) -> bytes:
    feeders = bytes(
        place
        for place, i in enumerate(plan.order)
        if gives_strikes(plan.counters[i]) and feeds(ban, frozenset({plan.counters[i].rule}))
    )
    shape = struct.pack(">IIIdd", ban.base, ban.cap, ban.memory, ban.factor, ban.jitter)
    return shape + bytes([ban.most, len(feeders)]) + feeders


def _refused(question: Question, plan: Plan) -> int:
    if question.refused or (not plan.weights and question.score >= question.bound):
        return REFUSED
    return UNLESS_KNOWN if question.known_only else 0


def _weight(plan: Plan, weight: Weight) -> bytes:
    places = bytes(plan.order.index(i) for i in weight.places)
    return struct.pack(">dB", weight.factor, len(places)) + places


def _fed(plan: Plan, refused_by: frozenset[str]) -> bytes:
    """The bans to which rules that spoke before the store gave a strike."""
    return bytes(
        place
        for place, i in enumerate(plan.order)
        if isinstance(ban := plan.counters[i], Ban) and feeds(ban, refused_by)
    )


def decode(plan: Plan, reply: list[int]) -> Answer:
    """The script's reply as an answer."""
    flags, now = reply[0], reply[1] / 1000
    if flags == OUTDATED:
        return Answer(False, NOTHING, now, outdated=True)
    admitted, known = bool(flags & ADMITTED), bool(flags & KNOWN)
    if len(reply) == 2:
        return Answer(admitted, NOTHING, now, known)
    places = plan.order
    readings = {}
    i = 0
    for index, used, wait in zip(reply[2::3], reply[3::3], reply[4::3], strict=True):
        if index >= 0:
            i = places[index]
            readings[i] = Reading(used, wait / 1000)
        else:  # more about the one before
            readings[i] = replace(readings[i], detail=(used, wait))
    return Answer(admitted, readings, now, known)
