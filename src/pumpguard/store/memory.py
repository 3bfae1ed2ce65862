"""The store for one process: the same scripts as in Redis, over a dictionary; safe when full."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence, Set
from functools import lru_cache
from itertools import islice
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

from pumpguard.counters.base import Turn
from pumpguard.counters.plan import Plan
from pumpguard.errors import StoreError
from pumpguard.notices import Notices
from pumpguard.store import codec
from pumpguard.store.base import Answer, Question
from pumpguard.store.fleet import MemoryFleet
from pumpguard.store.inspected import InspectedStore
from pumpguard.store.line import IN_A_TURN, Line, phone_of
from pumpguard.store.lua import interpreter
from pumpguard.store.overrides import MemoryOverrides
from pumpguard.store.scripts import Call
from pumpguard.store.stream import MemoryStream

REQUESTS = 50_000
"""Messages of strangers. With the default rules each takes 4.7 places of 250 bytes, so they are
60 MB; the store is only full at 110 MB, with verifications at 216. A message's last place is free
again after a week."""

LOOKED_AT = 32
"""Places that a request looks at for one that has expired, when all are taken."""

EXPIRY, ID, LONG = 6, 3, 255
"""Bytes of a value's expiry and of a segment's id; the length of a long one (``common.lua``)."""

NO_BAN = bytes(7)
"""How a ban that has not begun is stored, before its strikes (``ban.lua``)."""


class StoreFull(StoreError):
    """Every place is taken by a live subject; forgetting one would admit too much."""


class MemoryStore(InspectedStore):
    """Counters in this process, with room for at least so many ``requests``.

    A request takes a place for each thing that something is counted by (its phone number, its
    network, its country and so on) and that was not counted before; the store has room for so many
    requests that need all their places. When it is full, what has expired makes room first, and
    then strikes that have led to no ban: they are all that refused requests may create. Everything
    else still binds, so it is kept, and strangers are refused (`StoreFull`) until a place is free.

    Use it in tests, for an app with one process, and as the limiter while Redis is away. Raises
    `PolicyError` where ``lupa`` is not installed. It may be used from several threads, which then
    wait for each other.
    """

    def __init__(self, requests: int = REQUESTS, clock: Callable[[], float] = time.time) -> None:
        super().__init__([""])
        self.runs = (self.run,)
        self.requests = requests
        self.overrides: MemoryOverrides = MemoryOverrides(clock)
        self.fleet, self.watch = MemoryFleet(clock), MemoryFleet(clock)
        self.stream = MemoryStream()
        self._clock = clock
        self._lua = interpreter()
        # The garbage collector, which stops the event loop, follows none of these.
        self._kept: dict[bytes, bytes] = {}
        self._queue: deque[bytes] = deque()
        """Its keys; those at the front are looked at next."""
        self._gone: set[bytes] = set()
        """Those in the queue that have been forgotten since."""
        self._struck: dict[bytes, None] = {}
        """Those with nothing but strikes, the oldest first."""
        self._most = 1
        """Places that one request has needed at most."""
        self._notices = Notices()
        self._lock = Lock()
        self._lines: WeakKeyDictionary[asyncio.AbstractEventLoop, Line] = WeakKeyDictionary()

    async def decide(self, question: Question) -> Answer:
        """A few in each turn of the event loop (`pumpguard.store.line`). Raises `Crowded`."""
        loop = asyncio.get_running_loop()
        line = self._lines.get(loop)
        if line is None:
            line = self._lines[loop] = Line(IN_A_TURN)
        if line.waiting or line.inside >= IN_A_TURN:
            await line.wait(question)
        else:
            line.inside += 1
        loop.call_soon(line.leave)
        answer = self.decide_now(question)
        if answer.known:
            line.knows(phone_of(question))
        return answer

    def decide_now(self, question: Question) -> Answer:
        """Like `decide`, at once."""
        plan, call = self._decide_call(question, 0)
        return codec.answer(question, plan, self._run(call))

    async def run(self, call: Call) -> Any:
        return self._run(call)

    def __len__(self) -> int:
        return len(self._kept)

    def _run(self, call: Call) -> Any:
        now = int((self._clock() if call.at is None else call.at) * 1000)
        keys = [key.encode() for key in call.keys]
        with self._lock:
            values: list[bytes | None] = []
            for key in keys:
                value = self._kept.get(key)
                values.append(value if value is not None and _expires(value) > now else None)
            if call.plans:
                values[-1] = self.overrides.version
                self._most = max(self._most, *[len(plan.groups) for plan in call.plans])
            reply, writes = self._lua.run(call.script, now, keys, values, call.arguments)
            if writes:
                self._write({key: value for key, value, _ in writes}, now, _bans(call.plans))
        return reply

    def _write(self, changes: Mapping[bytes, bytes], now: int, bans: Set[bytes]) -> None:
        """All of them, or none; ``bans`` are the ids of those that may have been given strikes.
        Raises `StoreFull`."""
        new = [key for key in changes if key not in self._kept]
        if new:
            self._make_room(new, changes, now)
            self._queue.extend([key for key in new if key not in self._gone])
            self._gone.difference_update(new)
        self._kept.update(changes)
        for key, value in changes.items():
            self._struck.pop(key, None)
            if _only_strikes(value, bans):
                self._struck[key] = None

    def _make_room(self, new: Sequence[bytes], kept: Collection[bytes], now: int) -> None:
        """Forget what is of least use, a bounded number of places at a time, but none of ``kept``.
        Raises `StoreFull`."""
        room = self.requests * self._most - len(new)
        # Twice as many as are added: so what has expired never grows to more than what has not.
        looked_at = 2 * len(new) if len(self._kept) <= room else LOOKED_AT
        for _ in range(min(looked_at, len(self._queue))):
            key = self._queue.popleft()
            if key in self._gone:
                self._gone.remove(key)
            elif _expires(self._kept[key]) > now or key in kept:
                self._queue.append(key)
            else:
                self._forget(key)
        lacking = len(self._kept) - room
        if lacking > 0:
            for key in [*islice((key for key in self._struck if key not in kept), lacking)]:
                self._forget(key)
                self._gone.add(key)
        if len(self._kept) > room:
            self._notices.say(
                "PG009", "full",
                "memory is full: it holds %d messages whose limits have not ended; strangers are "
                "refused until one has. Use Redis, or MemoryStore(requests=…)",
                self.requests, level=logging.ERROR,
            )  # fmt: skip
            raise StoreFull("every place is taken")

    def _forget(self, key: bytes) -> None:
        del self._kept[key]
        self._struck.pop(key, None)


@lru_cache(maxsize=1_024)
def _bans(plans: Sequence[Plan]) -> Set[bytes]:
    """The ids of the bans of these plans."""
    return frozenset(
        codec.short_id(identity)
        for plan in plans
        for identity, counter in zip(plan.identities, plan.counters, strict=True)
        if counter.turn is Turn.BAN
    )


def _expires(value: bytes) -> int:
    """When a value ends, in Unix ms."""
    return int.from_bytes(value[:EXPIRY])


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
