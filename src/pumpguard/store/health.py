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
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha1
from typing import Any, Protocol, TypeAlias, runtime_checkable

from redis.exceptions import AuthenticationError, NoPermissionError, NoScriptError, RedisError

from pumpguard.errors import StoreError
from pumpguard.notices import Notices
from pumpguard.store.base import Store
from pumpguard.store.in_front import behind
from pumpguard.store.scripts import Word
from pumpguard.store.transport.calls import ErrorReply
from pumpguard.store.transport.endpoint import Endpoint
from pumpguard.store.transport.topology import Topology, ask_all

EVICTS, NO_RIGHT, NO_LOGIN, TOO_OLD = "PG012", "PG013", "PG014", "PG015"
REFUSES, AWAY, UNKNOWN, OTHERS = "PG016", "PG017", "PG018", "PG008"

LEVELS = {**dict.fromkeys((EVICTS, AWAY, OTHERS), logging.WARNING), UNKNOWN: logging.INFO}
"""All others are errors: they stop us from counting at all."""

REFUSALS: dict[type[RedisError], str] = {AuthenticationError: NO_LOGIN, NoPermissionError: NO_RIGHT}
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

FOREVER = 400 * 86_400
"""Seconds for which a guard's mark is kept, as overrides are."""

NOT_ONE_KEY = "each counts apart; give all one secret (after a change of it, nothing to do)"
NOT_ONE_POLICY = "both count in one place; give each policy a name= of its own"

NOTHING_SCRIPT = "return 1"
NOTHING_SHA = sha1(NOTHING_SCRIPT.encode(), usedforsecurity=False).hexdigest()


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
    store = behind(store)
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


@dataclass(frozen=True, slots=True)
class Mark:
    """What the guards of one policy leave in the store, under ``key``, to know each other by: a
    hash that is keyed with their ``secret``, and their ``routes``."""

    key: str
    secret: str
    routes: str

    async def look(self, topology: Topology, *, leave: bool) -> Concerns:
        """Whether one of other settings was here last; ``leave`` this one instead."""
        server = await topology.locate(self.key)
        mine, forever = f"{self.secret} {self.routes}", 1_000 * FOREVER
        asked: list[tuple[Word, ...]] = [("GET", self.key)]
        if leave:
            asked.append(("SET", self.key, mine, "PX", forever))
        before, *_ = await ask_all(server, *asked, patience=PATIENCE)
        if not isinstance(before, bytes) or before.decode(errors="replace") == mine:
            return ()
        secret, _, routes = before.decode(errors="replace").partition(" ")
        why = f"a guard of this policy's name has started for {routes}: {NOT_ONE_POLICY}"
        if secret != self.secret:
            why = f"a guard of this policy has started with another secret: {NOT_ONE_KEY}"
        return (Concern(OTHERS, server.where, why),)


class Checkup:
    """Checks once per process, in the background, when the store is first used.

    While the server is away it tries again, ever more rarely: it may come back misconfigured.
    """

    def __init__(self, topology: Topology, keys: Sequence[str], mark: Mark | None = None) -> None:
        self._topology, self._keys, self._mark = topology, keys, mark
        self._task: asyncio.Task[None] | None = None
        self._done = False

    def begin(self) -> None:
        """Start, unless it is under way or done. What a closed event loop has begun is over."""
        task = self._task
        if not self._done and (task is None or task.done() or task.get_loop().is_closed()):
            self._task = asyncio.get_running_loop().create_task(self._check())

    async def now(self) -> Concerns:
        """Check now instead, and log nothing: the caller gets the result."""
        await self.end()
        return await self._examine(leave=False)

    async def end(self) -> None:
        """Cancel it, if this event loop has begun it."""
        task = self._task
        if task is not None and task.get_loop() is asyncio.get_running_loop():
            task.cancel()
            await asyncio.wait({task})

    async def _examine(self, *, leave: bool = True) -> Concerns:
        concerns = await examine(self._topology, self._keys)
        there = all(concern.code != AWAY for concern in concerns)
        self._done = self._done or (there and leave)
        if self._mark is not None and there:
            with suppress(StoreError):
                concerns += await self._mark.look(self._topology, leave=leave)
        return concerns

    async def _check(self) -> None:
        notices, pause = Notices(logger="pumpguard.store"), FIRST_PAUSE
        while True:
            concerns = await self._examine()
            for each in concerns:
                level = LEVELS.get(each.code, logging.ERROR)
                notices.say(each.code, each.where, "%s: %s", each.where, each.what, level=level)
            if self._done:
                return
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
