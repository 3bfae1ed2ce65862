"""A cache of bans in front of a store: who is banned is refused without a round trip.

Most requests of an attack come from subjects that are banned already. While the store is away, the
bans that are known here stay enforced to their end.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from pumpguard.counters import Reading
from pumpguard.decision import Action
from pumpguard.errors import StoreError
from pumpguard.store.base import Answer, Question, Store, StoreInFront

FRESH = 5.0
"""Seconds for which a ban is applied without asking, so a ban that is lifted ends everywhere within
them."""

MAX_BANS = 10_000
"""The one that was learnt first is forgotten first."""

Key: TypeAlias = tuple[str, str]


class Known(NamedTuple):
    """A ban that the store reported; both times are in Unix seconds."""

    fresh_until: float
    ends: float
    level: int


class BanCache(StoreInFront):
    """Answers from the cache if a fresh ban applies, else passes the question on.

    A shadow ban is never answered from the cache while the store is there: the reply would come a
    round trip sooner than one to a message that is sent, and give the ban away.
    """

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        super().__init__(store)
        self._clock = clock
        self._known: dict[Key, Known] = {}

    async def decide(self, question: Question) -> Answer:
        now = self._clock() if question.at is None else question.at
        if self._known:
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
            known = self._known.get((plan.identities[i], question.subjects[plan.group_of[i]]))
            if known is None:
                continue
            if fresh and plan.counters[i].action is Action.SHADOW and now < known.ends:
                return None
            if now < (known.fresh_until if fresh else known.ends):
                readings[i] = Reading(known.level, known.ends - now)
        return Answer(False, readings, now, recalled=True) if readings else None

    def _learn(self, question: Question, answer: Answer, now: float) -> None:
        plan = question.plan
        for i in plan.binding_bans:
            reading = answer.readings.get(i)
            if reading is not None and reading.full:
                ends = now + reading.wait
                key = plan.identities[i], question.subjects[plan.group_of[i]]
                self._known.pop(key, None)  # so that it is the newest
                self._known[key] = Known(min(now + FRESH, ends), ends, reading.used)
                if len(self._known) > MAX_BANS:
                    del self._known[next(iter(self._known))]
