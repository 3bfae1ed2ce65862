"""What stands in front of a store: a cache of bans, and a circuit breaker.

Most requests of an attack come from subjects that are banned already: they are refused without a
round trip. While the store is away, the bans that are known here stay enforced to their end.

The breaker makes a few requests pay for an outage, and not all. Closed: every call passes. Open:
every call fails at once. Half-open: one call is out as a probe, and the others still fail at once.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

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
"""Faults in a row that open the breaker."""

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 8.0
"""Seconds from a fault to the next probe; each failed probe doubles them."""


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


class Breaker(StoreInFront):
    """Opens after five faults in a row. After a pause of 1 second, the next question is the probe:
    an answer closes the breaker, a fault doubles the pause, up to 8 seconds. Outcomes are no
    probes: they can wait, and may be lost. Overrides are read twice a second at most, so they pass.
    """

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(store)
        self._clock = clock
        self._notices, self._said_away = Notices(clock, "pumpguard.store"), False
        self._faults = 0
        self._pause = FIRST_PAUSE
        self._probe_at: float | None = None  # None while closed
        self._half_open = False

    async def decide(self, question: Question) -> Answer:
        probe_at = self._probe_at
        if probe_at is not None:
            if self._half_open or self._clock() < probe_at:
                raise StoreError("the circuit breaker is open; the next probe is due soon")
            self._half_open = True
        try:
            answer = await self.store.decide(question)
        except StoreError as error:
            self._failed(error)
            raise
        finally:
            if probe_at is not None:
                self._half_open = False
        if self._faults:
            self._recovered()
        return answer

    async def redeem(self, redemption: Redemption) -> Redeemed:
        self._refuse_unless_closed()
        return await super().redeem(redemption)

    async def settle(self, settlements: Sequence[Settlement]) -> int:
        self._refuse_unless_closed()
        return await super().settle(settlements)

    async def remember(self, name: str, text: str, seconds: int, at: float | None = None) -> None:
        self._refuse_unless_closed()
        await super().remember(name, text, seconds, at)

    async def recall(self, name: str, at: float | None = None) -> str | None:
        self._refuse_unless_closed()
        return await super().recall(name, at)

    def _refuse_unless_closed(self) -> None:
        if self._probe_at is not None:
            raise StoreError("the circuit breaker is open")

    def _failed(self, error: StoreError) -> None:
        self._faults += 1
        if self._probe_at is not None:
            self._pause = min(self._pause * 2, LONGEST_PAUSE)
        elif self._faults < FAULTS:
            return
        text = "store failed %d times in a row; on_store_failure decides now. The last: %s"
        if self._notices.say("PG010", "", text, self._faults, error, level=logging.ERROR):
            self._said_away = True
        self._probe_at = self._clock() + self._pause

    def _recovered(self) -> None:
        text = "store reachable again; decisions use it as before"
        if self._said_away and self._notices.say("PG011", "", text):
            self._said_away = False
        self._faults, self._pause, self._probe_at = 0, FIRST_PAUSE, None
