"""The store for a fleet: one Lua script, one round trip, the server's clock."""

from __future__ import annotations

import asyncio
import logging
import struct
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from hashlib import blake2b, sha1
from importlib.resources import files
from typing import Any
from weakref import WeakKeyDictionary

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError

from pumpguard.counters import Ban, Neighbours, Reading
from pumpguard.errors import StoreError
from pumpguard.store.base import Answer, Plan, Question, counts_attempts, feeds, gives_strikes
from pumpguard.store.sharding import shard_of, spread

FORMAT = "pg1"
"""The version of what is stored: it protects the bytes in a rolling deploy, as the script's hash
protects the code."""

BINDS, ATTEMPTS = 1, 2
NOTHING: Mapping[int, Reading] = {}

logger = logging.getLogger("pumpguard.store")


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

    ``secret`` keys the hashes under which phones and networks are stored. ``deadline`` (seconds)
    bounds the whole call; nothing is retried, because a call whose reply was lost may have
    counted. ``shards`` spreads the keys by calling code (see `pumpguard.store.sharding`).
    Connections are made lazily, one pool per event loop, at most ``max_connections``.
    """

    def __init__(
        self,
        url: str,
        *,
        name: str = "default",
        secret: str = "",
        deadline: float = 0.05,
        shards: int = 1,
        max_connections: int = 32,
    ) -> None:
        self.url = url
        self.deadline = deadline
        self._max_connections = max_connections
        tags = [name] if shards == 1 else [f"{name}-{shard}" for shard in range(shards)]
        self._prefixes = [f"{FORMAT}:{{{tag}}}:" for tag in tags]
        key = blake2b(secret.encode(), digest_size=32).digest()
        self._hash = blake2b(digest_size=10, key=key)
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, Redis] = WeakKeyDictionary()

    async def decide(self, question: Question) -> Answer:
        """Ask in one round trip. Raises `StoreError` on any fault or past the deadline."""
        keys = self.keys(question)
        args = self._arguments(question)
        # The call lives in its own task: cancelling a request must not tear down a connection
        # between command and reply.
        call = asyncio.create_task(self._call(keys, args))
        call.add_done_callback(_forget)
        try:
            async with asyncio.timeout(self.deadline):
                reply = await asyncio.shield(call)
        except TimeoutError:
            raise StoreError(f"no answer within {self.deadline * 1000:.0f} ms") from None
        except (RedisError, OSError) as error:
            raise StoreError(f"{type(error).__name__}: {error}") from error
        return decode(question.plan, reply)

    async def aclose(self) -> None:
        """Close this event loop's connections."""
        client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.aclose()

    def keys(self, question: Question) -> list[str]:
        """One key per subject: format version, policy (the hash tag), keyed hash."""
        prefix = self._prefixes[0]
        if len(self._prefixes) > 1:
            prefix = self._prefixes[shard_of(question.destination, len(self._prefixes))]
        keys = []
        for by, subject in zip(question.plan.groups, question.subjects, strict=True):
            hashed = self._hash.copy()
            # A dimension has no NUL, so no two pairs run together.
            hashed.update(f"{by}\0{subject}".encode("utf-8", "surrogatepass"))
            keys.append(prefix + hashed.hexdigest())
        return keys

    def _arguments(self, question: Question) -> list[Any]:
        plan = self._plan(question)
        return [
            0 if question.at is None else int(question.at * 1000),
            int(question.refused),
            question.jitter,
            encode(plan),
            question.place,
            b"".join(self._member(member) for member in question.members),
            _fed(plan, question.refused_by) if question.refused_by else b"",
        ]

    def _plan(self, question: Question) -> Plan:
        shards = len(self._prefixes)
        return question.plan if shards == 1 else spread(question.plan, shards)

    def _member(self, member: str) -> bytes:
        hashed = self._hash.copy()
        hashed.update(member.encode("utf-8", "surrogatepass"))
        return hashed.digest()[:4]

    async def _call(self, keys: list[str], args: list[Any]) -> list[int]:
        run: Callable[..., Awaitable[list[int]]] = self._client().execute_command
        try:
            return await run("EVALSHA", SCRIPT_SHA, len(keys), *keys, *args)
        except NoScriptError:  # a restarted server, or one that sees this version first
            return await run("EVAL", SCRIPT, len(keys), *keys, *args)

    def _client(self) -> Redis:
        loop = asyncio.get_running_loop()
        client = self._clients.get(loop)
        if client is None:
            client = self._clients[loop] = self._connect()
        return client

    def _connect(self) -> Redis:
        pool = BlockingConnectionPool.from_url(
            self.url,
            max_connections=self._max_connections,
            timeout=self.deadline,
            socket_timeout=self.deadline,
            socket_connect_timeout=self.deadline,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
            driver_info=None,
        )
        return Redis.from_pool(pool)


@lru_cache(maxsize=1024)
def encode(plan: Plan) -> bytes:
    """A plan as ``decide.lua`` reads it. Raises `ValueError` in the one case in millions where two
    counters of a subject cannot be told apart; rename a rule."""
    encoded = [bytes([plan.reports, len(plan.groups)])]
    for group in plan.grouped:
        ids = [_id(plan.identities[i]) for i in group]
        if len(set(ids)) != len(ids):
            raise ValueError("two counters of one subject have the same id: rename a rule")
        encoded.append(bytes([len(group)]))
        encoded += [_spec(plan, i, each) for i, each in zip(group, ids, strict=True)]
    return b"".join(encoded)


def order(plan: Plan) -> list[int]:
    """The counters' indexes in the order in which the script sees them: group by group."""
    return [i for group in plan.grouped for i in group]


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
        for place, i in enumerate(order(plan))
        if gives_strikes(plan.counters[i]) and feeds(ban, frozenset({plan.counters[i].rule}))
    )
    shape = struct.pack(">IIIdd", ban.base, ban.cap, ban.memory, ban.factor, ban.jitter)
    return shape + bytes([len(feeders)]) + feeders


def _fed(plan: Plan, refused_by: frozenset[str]) -> bytes:
    """The bans to which rules that spoke before the store gave a strike."""
    return bytes(
        place
        for place, i in enumerate(order(plan))
        if isinstance(ban := plan.counters[i], Ban) and feeds(ban, refused_by)
    )


def decode(plan: Plan, reply: list[int]) -> Answer:
    """The script's reply as an answer."""
    now = reply[1] / 1000
    if len(reply) == 2:
        return Answer(bool(reply[0]), NOTHING, now)
    places = order(plan)
    triples = zip(reply[2::3], reply[3::3], reply[4::3], strict=True)
    readings = {places[i]: Reading(used, wait / 1000) for i, used, wait in triples}
    return Answer(bool(reply[0]), readings, now)


def _forget(call: asyncio.Task[list[int]]) -> None:
    """Collect the outcome of a call that nobody waits for any more."""
    if not call.cancelled() and (error := call.exception()) is not None:
        logger.debug("a store call failed: %s", type(error).__name__)
