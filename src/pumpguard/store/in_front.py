"""What stands in front of a store: a cache of bans, and a circuit breaker for each server.

Most requests of an attack come from subjects that are banned already: they are refused without a
round trip. While the store is away, the bans that are known here stay enforced to their end.

The breaker makes a few requests pay for an outage, and not all.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Literal, NamedTuple, ParamSpec, Protocol, TypeVar

from pumpguard.counters import Reading
from pumpguard.decision import Action
from pumpguard.errors import StoreError
from pumpguard.notices import Notices
from pumpguard.store.base import Answer, Question, Redeemed, Redemption, Settlement, Store

FRESH = 5.0
"""Seconds for which a ban is applied without asking, so a ban that is lifted ends everywhere within
them."""

MAX_BANS = 10_000
"""The one that was learnt first is forgotten first."""


FAULTS = 5
"""Faults in a row that open the breaker, each of a call that was made after the fault before: a
hundred calls that were in flight when one connection broke are one fault."""

REFUSALS = 50
"""So many calls more that the server has refused than that it has answered open the breaker too: a
server that takes no writes still answers whatever needs none."""

P = ParamSpec("P")
T = TypeVar("T")


class CachedBan(NamedTuple):
    """A ban that the store reported; both times are in Unix seconds."""

    fresh_until: float
    ends: float
    level: int


class StoreInFront:
    """A store that passes on to another, ``store``, what it does not answer itself."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.overrides = store.overrides

    async def redeem(self, redemption: Redemption) -> Redeemed:
        return await self.store.redeem(redemption)

    async def settle(self, settlements: Sequence[Settlement]) -> int:
        return await self.store.settle(settlements)

    async def remember(self, name: str, text: str, seconds: int, at: float | None = None) -> None:
        await self.store.remember(name, text, seconds, at)

    async def recall(self, name: str, at: float | None = None) -> str | None:
        return await self.store.recall(name, at)

    async def aclose(self) -> None:
        await self.store.aclose()


class BanCache(StoreInFront):
    """Answers from the cache if a fresh ban applies, else passes the question on.

    A shadow ban is never answered from the cache while the store is there: the reply would come a
    round trip sooner than one to a message that is sent, and give the ban away.
    """

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        super().__init__(store)
        self._clock = clock
        self._bans: dict[tuple[str, str], CachedBan] = {}

    async def decide(self, question: Question) -> Answer:
        now = self._clock() if question.at is None else question.at
        if self._bans:
            cached = self._cached(question, now, fresh=True)
            if cached is not None:
                return cached
        try:
            answer = await self.store.decide(question)
        except StoreError:
            cached = self._cached(question, now, fresh=False)
            if cached is None:
                raise
            return cached
        if answer.readings:
            self._learn(question, answer, now)
        return answer

    def _cached(self, question: Question, now: float, *, fresh: bool) -> Answer | None:
        plan = question.plan
        readings = {}
        for i in plan.binding_bans:
            ban = self._bans.get((plan.identities[i], question.subjects[plan.group_of[i]]))
            if ban is None:
                continue
            if fresh and plan.counters[i].action is Action.SHADOW and now < ban.ends:
                return None
            if now < (ban.fresh_until if fresh else ban.ends):
                readings[i] = Reading(ban.level, ban.ends - now)
        return Answer(False, readings, now, recalled=True) if readings else None

    def _learn(self, question: Question, answer: Answer, now: float) -> None:
        plan = question.plan
        for i in plan.binding_bans:
            reading = answer.readings.get(i)
            if reading is not None and reading.full:
                ends = now + reading.wait
                key = plan.identities[i], question.subjects[plan.group_of[i]]
                self._bans.pop(key, None)  # so that it is the newest
                self._bans[key] = CachedBan(min(now + FRESH, ends), ends, reading.used)
                if len(self._bans) > MAX_BANS:
                    del self._bans[next(iter(self._bans))]


class BreakerOpen(StoreError):
    """The server was not asked, because it has failed and has not been found usable since."""

    undone = True


class Prober(Protocol):
    """Finds out when a store can be used again."""

    def begin(self, found: Callable[[], None]) -> None:
        """Call ``found`` as soon as it can, from any thread."""

    def end(self) -> None:
        """Stop looking."""


class Breaker:
    """Opens after five faults in a row, and then asks the ``probe`` (`pumpguard.store.probe`).

    Closed: every call passes. Open: every call fails at once. Half-open, once the probe has found
    the server usable: calls pass again, the first fault opens it anew, and the first answer closes
    it.
    """

    def __init__(self, probe: Prober) -> None:
        self._probe = probe
        self._notices, self._said_away = Notices(logger="pumpguard.store"), False
        self._state: Literal["closed", "open", "half-open"] = "closed"
        self._in_a_row = self._refused = 0
        self._faults = 0  # ever

    async def run(self, call: Callable[P, Awaitable[T]], *args: P.args, **named: P.kwargs) -> T:
        """Make a call, or raise `StoreError` at once."""
        faults = self._faults
        if self._state == "open":
            raise BreakerOpen("the circuit breaker is open")
        try:
            answer = await call(*args, **named)
        except StoreError as error:
            self._refused += error.refused
            if faults == self._faults:  # else it may be the same one
                self._failed(error)
            raise
        if self._in_a_row or self._refused:
            self._answered()
        return answer

    def close(self) -> None:
        """Ask no more, and begin anew with the next call."""
        self._probe.end()
        self._in_a_row, self._refused, self._state = 0, 0, "closed"

    def _failed(self, error: StoreError) -> None:
        self._faults += 1
        self._in_a_row += 1
        if self._in_a_row < FAULTS and self._refused < REFUSALS:
            return
        if self._state == "open":
            return
        text = "store failed %d times; on_store_failure decides now. The last: %s"
        times = max(self._in_a_row, self._refused)
        if self._notices.say("PG010", "", text, times, error, level=logging.ERROR):
            self._said_away = True
        self._state = "open"
        self._probe.begin(self._found)

    def _found(self) -> None:
        """The probe's thread calls this."""
        if self._state == "open":
            self._state = "half-open"

    def _answered(self) -> None:
        self._refused = max(0, self._refused - 1)
        if self._state == "half-open":
            self._state, self._refused = "closed", 0
            text = "store reachable again; decisions use it as before"
            if self._said_away and self._notices.say("PG011", "", text):
                self._said_away = False
        if self._state == "closed":
            self._in_a_row = 0
