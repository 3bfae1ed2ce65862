"""The store for a fleet: one Lua script, one round trip, the server's clock."""

from __future__ import annotations

import asyncio
import logging
import struct
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable, Sequence
from hashlib import blake2b, sha1
from importlib.resources import files
from typing import Any
from weakref import WeakKeyDictionary

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError

from pumpguard.counters import Ban, Counter, Distinct, Neighbours, Reading, Window, identity
from pumpguard.errors import StoreError
from pumpguard.store.base import Answer, Entry, Question, gives_strikes

FORMAT = "pg1"
"""The version of what is stored: it protects the bytes in a rolling deploy, as the script's hash
protects the code."""

BINDS, ATTEMPTS, FED_ALREADY = 1, 2, 4

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
    counted. Connections are made lazily, one pool per event loop, at most ``max_connections``.
    """

    def __init__(
        self,
        url: str,
        *,
        name: str = "default",
        secret: str = "",
        deadline: float = 0.05,
        max_connections: int = 32,
    ) -> None:
        self.url = url
        self.deadline = deadline
        self._max_connections = max_connections
        self._prefix = f"{FORMAT}:{{{name}}}:"
        self._hash_key = blake2b(secret.encode(), digest_size=32).digest()
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, Redis] = WeakKeyDictionary()

    async def decide(self, question: Question) -> Answer:
        """Ask in one round trip. Raises `StoreError` on any fault or past the deadline."""
        keys = [self.key(entry.counter) for entry in question.entries]
        args = encode(question, self._hash_key)
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
        return decode(reply)

    async def aclose(self) -> None:
        """Close this event loop's connections."""
        client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.aclose()

    def key(self, counter: Counter) -> str:
        """The key of a counter: format version, policy (the hash tag), keyed hash.

        The parts are length-prefixed, so that no two different counters run together.
        """
        joined = b"".join(
            len(part).to_bytes(2) + part for part in map(str.encode, identity(counter))
        )
        digest = blake2b(joined, digest_size=15, key=self._hash_key).digest()
        return self._prefix + urlsafe_b64encode(digest).decode()

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


def encode(question: Question, hash_key: bytes) -> list[Any]:
    """A question as the script's ARGV."""
    strikers = [gives_strikes(e.counter) and e.counter.rule for e in question.entries]
    return [
        0 if question.at is None else int(question.at * 1000),
        int(question.refused),
        question.jitter,
        *(_spec(entry, question, strikers, hash_key) for entry in question.entries),
    ]


def _spec(
    entry: Entry, question: Question, strikers: Sequence[str | bool], hash_key: bytes
) -> bytes:
    counter = entry.counter
    flags = BINDS if entry.binds else 0
    match counter:
        case Window():
            kind, limit, tail = b"W", counter.limit, b""
            flags |= ATTEMPTS if counter.counts == "attempts" else 0
        case Distinct():
            member = blake2b(counter.member.encode(), digest_size=4, key=hash_key).digest()
            kind, limit, tail = b"D", counter.limit, member
        case Neighbours():
            place = struct.pack(">HH", counter.position, counter.distance)
            kind, limit, tail = b"N", counter.limit, place
        case Ban():
            kind, limit, tail = b"B", counter.strikes, _ban_tail(counter, strikers)
            if counter.fed_by == "attempts":
                flags |= ATTEMPTS
            elif not counter.fed_by.isdisjoint(question.refused_by):
                flags |= FED_ALREADY
    return struct.pack(">cBIQ", kind, flags, limit, counter.seconds * 1000) + tail


def _ban_tail(ban: Ban, strikers: Sequence[str | bool]) -> bytes:
    fed_by = frozenset() if ban.fed_by == "attempts" else ban.fed_by
    mask = b"".join(b"1" if rule in fed_by else b"0" for rule in strikers)
    return struct.pack(">IIIdd", ban.base, ban.cap, ban.memory, ban.factor, ban.jitter) + mask


def decode(reply: list[int]) -> Answer:
    """The script's reply as an answer."""
    admitted, now, *numbers = reply
    readings = tuple(
        Reading(used, wait / 1000) for used, wait in zip(numbers[::2], numbers[1::2], strict=True)
    )
    return Answer(bool(admitted), readings, now / 1000)


def _forget(call: asyncio.Task[list[int]]) -> None:
    """Collect the outcome of a call that nobody waits for any more."""
    if not call.cancelled() and (error := call.exception()) is not None:
        logger.debug("a store call failed: %s", type(error).__name__)
