"""Checks the server: does it give us the rights that we need, and does it keep our counters?

No single decision shows what is wrong with a server: without a right, every request is decided
without the store, and an evicted counter is simply not there. So each process checks once, on a
connection of its own that no request waits for.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha1
from typing import Any, Protocol, TypeAlias, runtime_checkable

from redis.exceptions import AuthenticationError, NoPermissionError, NoScriptError, RedisError

from pumpguard.errors import StoreError
from pumpguard.store.base import Store
from pumpguard.store.in_front import StoreInFront
from pumpguard.store.transport.calls import ErrorReply
from pumpguard.store.transport.endpoint import Endpoint
from pumpguard.store.transport.resp import Word
from pumpguard.store.transport.topology import Topology, ask_all

EVICTS, NO_RIGHT, NO_LOGIN, TOO_OLD = "PG012", "PG013", "PG014", "PG015"
REFUSES, AWAY, UNKNOWN = "PG016", "PG017", "PG018"

LEVELS = {EVICTS: logging.WARNING, AWAY: logging.WARNING, UNKNOWN: logging.INFO}
"""All others are errors: they stop us from counting at all."""

REFUSALS: dict[type[RedisError], str] = {
    AuthenticationError: NO_LOGIN,
    NoPermissionError: NO_RIGHT,
}
"""By the server's error; all others are `REFUSES`."""

PATIENCE = 2.0
"""Seconds that each answer may take: nobody waits for it."""

PROBE_PATIENCE = 1.0
"""The same for a server that is asked twice a second until it can be used again."""

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds between checks of a server that is away."""

OLDEST = (6, 0)
"""The first version with ``SET … KEEPTTL``; the oldest that the tests run on is 6.2."""

START_IT = "start the server, or correct store= and the network's rules"
"""What to do about one that is away."""

NOTHING_SCRIPT = "return 1"
NOTHING_SHA = sha1(NOTHING_SCRIPT.encode(), usedforsecurity=False).hexdigest()

logger = logging.getLogger("pumpguard.store")


@dataclass(frozen=True, slots=True)
class Concern:
    """A problem with a server that an operator should solve.

    ``code`` is the one in the log, ``where`` the server, ``what`` is text for people.
    """

    code: str
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.code} {self.where}: {self.what}"


Concerns: TypeAlias = tuple[Concern, ...]
Found: TypeAlias = list[tuple[str, str]]


@runtime_checkable
class Checkable(Protocol):
    """A store with a server behind it."""

    async def check(self) -> Concerns: ...


async def check(store: Store) -> Concerns:
    """Check the store that counts, behind those that stand in front of it."""
    while isinstance(store, StoreInFront):
        store = store.store
    return await store.check() if isinstance(store, Checkable) else ()


async def examine(topology: Topology, keys: Iterable[str]) -> Concerns:
    """All problems with the servers that own these keys."""
    servers: dict[Endpoint, str] = {}
    for key in keys:
        try:
            servers.setdefault(await topology.locate(key), key)
        except StoreError as fault:
            return (Concern(AWAY, "the store", f"{fault}; {START_IT}"),)
    return tuple([each for server in servers.items() for each in await _concerns(*server)])


async def usable(topology: Topology, key: str) -> bool:
    """Whether the server that owns this key takes all that a decision asks of it."""
    try:
        needed = _needed(key)
        replies = await ask_all(await topology.locate(key), *needed, patience=PROBE_PATIENCE)
    except StoreError:
        return False
    return not _refusals([str(verb) for verb, *_ in needed], replies)


def _needed(key: str) -> list[tuple[Word, ...]]:
    """Each command that a decision uses; ``XX`` sets nothing, as the key does not exist."""
    return [
        ("EVAL", NOTHING_SCRIPT, 1, key),
        ("EVALSHA", NOTHING_SHA, 1, key),
        ("TIME",),
        ("GET", key),
        ("MGET", key),
        ("SET", key, "", "XX", "PX", 1),
    ]


async def _concerns(server: Endpoint, key: str) -> Concerns:
    needed = _needed(key)
    wanted = [*needed, ("INFO", "server"), ("INFO", "memory")]
    try:
        *replies, about_server, about_memory = await ask_all(server, *wanted, patience=PATIENCE)
    except StoreError as fault:
        found = [(AWAY, f"{str(fault).removeprefix(f'{server.where}: ')}; {START_IT}")]
    else:
        found = _refusals([str(verb) for verb, *_ in needed], replies)
        if all(code != NO_LOGIN for code, _ in found):
            found += _state(about_server, about_memory)
    return tuple(Concern(code, server.where, what) for code, what in found)


def _refusals(verbs: Iterable[str], replies: Iterable[Any]) -> Found:
    """Commands that are refused, by the reason."""
    refused: dict[tuple[str, str], list[str]] = {}
    for verb, reply in zip(verbs, replies, strict=True):
        if isinstance(reply, ErrorReply) and not isinstance(reply.reply, NoScriptError):
            code = REFUSALS.get(type(reply.reply), REFUSES)
            refused.setdefault((code, str(reply)), []).append(verb)
    return [(code, f"{', '.join(verbs)}: {text}") for (code, text), verbs in refused.items()]


def _state(*infos: Any) -> Found:
    """Problems by what the server says of itself."""
    for info in infos:
        if isinstance(info, ErrorReply):
            return [(UNKNOWN, f"cannot check its maxmemory-policy and version: {info}")]
    text = b"\n".join(infos).decode(errors="replace")
    state = dict(re.findall(r"^(\w+):([^\r\n]*)", text, re.MULTILINE))
    found: Found = []
    policy = state.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        why = "an evicted counter is a fresh limit for an attacker, so too much is admitted"
        found.append((EVICTS, f"maxmemory-policy is {policy}: {why}; set noeviction"))
    version = state.get("redis_version", "")
    if version and tuple(map(int, re.findall(r"\d+", version)[:2])) < OLDEST:
        why = "it has no SET … KEEPTTL; use 6.0 or newer"
        found.append((TOO_OLD, f"Redis {version} is too old, {why}"))
    return found


class Checkup:
    """Checks once per process, in the background, when the store is first used.

    While the server is away it tries again, ever more rarely: it may come back misconfigured.
    """

    def __init__(self, topology: Topology, keys: Sequence[str]) -> None:
        self._topology, self._keys = topology, keys
        self._task: asyncio.Task[None] | None = None
        self._done = False

    def begin(self) -> None:
        """Start, unless it is under way or done."""
        if not self._done and (self._task is None or self._task.done()):
            self._task = asyncio.get_running_loop().create_task(self._check())

    async def now(self) -> Concerns:
        """Check now instead, and log nothing: the caller gets the result."""
        await self.end()
        return await self._examine()

    async def end(self) -> None:
        """Cancel it, if this event loop has begun it."""
        task = self._task
        if task is not None and task.get_loop() is asyncio.get_running_loop():
            task.cancel()
            await asyncio.wait({task})

    async def _examine(self) -> Concerns:
        concerns = await examine(self._topology, self._keys)
        self._done = all(concern.code != AWAY for concern in concerns)
        return concerns

    async def _check(self) -> None:
        logged: Concerns = ()
        pause = FIRST_PAUSE
        while True:
            concerns = await self._examine()
            for concern in concerns if concerns != logged else ():
                logger.log(LEVELS.get(concern.code, logging.ERROR), "%s", concern)
            if self._done:
                return
            logged = concerns
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
