"""The store for one process: the same scripts as in Redis, over a dictionary; safe when full."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence, Set
from functools import lru_cache
from threading import Lock
from typing import Any, TypeAlias

from pumpguard.counters.base import Turn
from pumpguard.counters.plan import Plan
from pumpguard.errors import StoreError
from pumpguard.store import codec
from pumpguard.store.base import Answer, Question
from pumpguard.store.lua import Write, interpreter
from pumpguard.store.overrides import MemoryOverrides
from pumpguard.store.scripted import Call, ScriptStore

CAPACITY = 175_000
"""Subjects: some 100 MB, measured with the default rules (560 bytes each; 4 or 5 of them for a
message to a number that was never seen, from an address that was never seen)."""

SWEPT_EVERY, WORTH_IT = 1_000, 100
"""A sweep that has freed less than a hundredth of the places is not repeated within a second (ms):
a store that stays full must not stop the event loop for each request."""

EXPIRY, ID, LONG = 6, 3, 255
"""Bytes of a value's expiry and of a segment's id; the length of a long one (``common.lua``)."""

NO_BAN = bytes(7)
"""How a ban that has not begun is stored, before its strikes (``ban.lua``)."""

NO_IDS: Set[bytes] = frozenset()


class StoreFull(StoreError):
    """Every place is taken by a live subject; forgetting one would admit too much."""


Kept: TypeAlias = tuple[bytes, int, bool]
"""What is stored about a subject, until when (ms), and whether it is nothing but strikes. A plain
tuple of these is not followed by the garbage collector, which stops the event loop."""


class MemoryStore(ScriptStore):
    """Counters in this process, about at most ``capacity`` subjects.

    A request has a subject for each thing that something is counted by: its phone number, its
    network, its country and so on. Use it in tests, for an app with one process, and as the limiter
    while Redis is away. When it is full of live subjects it refuses new ones rather than forget old
    ones. Raises `PolicyError` where ``lupa`` is not installed. It may be used from several threads,
    which then wait for each other.
    """

    def __init__(self, capacity: int = CAPACITY, clock: Callable[[], float] = time.time) -> None:
        super().__init__([""])
        self.capacity = capacity
        self.overrides: MemoryOverrides = MemoryOverrides(clock)
        self._clock = clock
        self._lua = interpreter()
        self._kept: dict[bytes, Kept] = {}
        self._in_vain: int | None = None
        """When a sweep last freed too little to be worth it."""
        self._lock = Lock()

    async def decide(self, question: Question) -> Answer:
        return self._decide(question, self.overrides.version)

    def decide_now(self, question: Question) -> Answer:
        """Like `decide`, without a coroutine, and whatever the version of the overrides."""
        return self._decide(question, question.overrides_version)

    async def run(self, call: Call) -> Any:
        return self._run(call)

    async def aclose(self) -> None:
        pass

    def __len__(self) -> int:
        return len(self._kept)

    def _decide(self, question: Question, mark: bytes) -> Answer:
        plan, call = self._decide_call(question)
        return codec.answer(question, plan, self._run(call, mark, _bans(plan)))

    def _run(self, call: Call, mark: bytes | None = None, bans: Set[bytes] = NO_IDS) -> Any:
        """``mark`` is the version of the overrides, for a script that compares it; ``bans`` are the
        ids of the bans that it may write strikes of."""
        now = int((self._clock() if call.at is None else call.at) * 1000)
        keys = [key.encode() for key in call.keys]
        with self._lock:
            values: list[bytes | None] = []
            for key in keys:
                kept = self._kept.get(key)
                values.append(kept[0] if kept is not None and kept[1] > now else None)
            if mark is not None:
                values[-1] = mark
            reply, writes = self._lua.run(call.script, now, keys, values, call.arguments)
            if writes:
                self._write(writes, now, bans)
        return reply

    def _write(self, writes: Sequence[Write], now: int, bans: Set[bytes]) -> None:
        """All of them, or none. Raises `StoreFull`."""
        changes: dict[bytes, Kept] = {}
        for key, value, ttl in writes:
            expires = self._kept[key][1] if ttl is None else now + ttl
            changes[key] = value, expires, _only_strikes(value, bans)
        if self._lacks_room(changes):
            self._sweep(changes, now)
            if self._lacks_room(changes):
                raise StoreFull(f"all {self.capacity} places hold live subjects")
        self._kept.update(changes)

    def _sweep(self, changes: Mapping[bytes, Kept], now: int) -> None:
        """Forget what has expired and, if that is not enough, what was only struck: strikes that
        have led to no ban yet are the one thing that refused requests may create, and they must not
        be able to crowd out what was admitted."""
        if self._in_vain is not None and abs(now - self._in_vain) < SWEPT_EVERY:
            return
        before = len(self._kept)
        self._kept = {key: kept for key, kept in self._kept.items() if kept[1] > now}
        if self._lacks_room(changes):
            self._kept = {key: kept for key, kept in self._kept.items() if not kept[2]}
        freed = before - len(self._kept)
        self._in_vain = now if freed * WORTH_IT < self.capacity else None

    def _lacks_room(self, changes: Mapping[bytes, Kept]) -> bool:
        return len(self._kept) + sum(key not in self._kept for key in changes) > self.capacity


@lru_cache(maxsize=1_024)
def _bans(plan: Plan) -> Set[bytes]:
    """The ids of the bans of a plan."""
    return frozenset(
        codec.short_id(identity)
        for identity, counter in zip(plan.identities, plan.counters, strict=True)
        if counter.turn is Turn.BAN
    )


def _only_strikes(value: bytes, bans: Set[bytes]) -> bool:
    """Whether every segment of a value (``common.lua``) is a ban that has not begun."""
    at = EXPIRY
    while at < len(value):
        size, start = value[at + ID], at + ID + 1
        if size == LONG:
            size, start = int.from_bytes(value[start : start + 2]), start + 2
        if value[at : at + ID] not in bans or value[start : start + len(NO_BAN)] != NO_BAN:
            return False
        at = start + size
    return True
