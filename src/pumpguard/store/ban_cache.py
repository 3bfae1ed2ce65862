"""Remembers standing bans in this process: who is banned is refused without asking the store."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

from pumpguard.counters import Reading
from pumpguard.decision import Action
from pumpguard.errors import StoreError
from pumpguard.store.base import Answer, Question, Redeemed, Redemption, Settlement, Store

FRESH = 5.0
"""Seconds for which a ban is believed without asking: a ban that is lifted is over everywhere
within them."""

REMEMBERED = 10_000

Key: TypeAlias = tuple[str, str]


class Known(NamedTuple):
    """A ban that the store has told us of; both times are in Unix seconds."""

    fresh_until: float
    ends: float
    level: int


class BanCache:
    """A store in front of a store.

    An attack's requests are mostly those of subjects that are banned already; they cost neither
    side a round trip. While the store is away, what is known here stays enforced to its end.

    Who is banned in shadow is not to know, and an answer from memory would come a round trip
    sooner than that to a message sent: there the store is asked every time.
    """

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self.store = store
        self.overrides = store.overrides
        self._clock = clock
        self._known: dict[Key, Known] = {}

    async def decide(self, question: Question) -> Answer:
        """Answer from memory if a fresh ban binds, else pass the question on."""
        now = self._clock() if question.at is None else question.at
        if self._known:
            answer = self._answer(question, now, fresh=True)
            if answer is not None:
                return answer
        try:
            answer = await self.store.decide(question)
        except StoreError:
            known = self._answer(question, now, fresh=False)
            if known is None:
                raise
            return known
        if answer.readings:
            self._learn(question, answer, now)
        return answer

    async def redeem(self, redemption: Redemption) -> Redeemed:
        """Pass it on."""
        return await self.store.redeem(redemption)

    async def settle(self, settlements: Sequence[Settlement]) -> int:
        """Pass them on."""
        return await self.store.settle(settlements)

    async def aclose(self) -> None:
        """Close the store behind."""
        await self.store.aclose()

    def _answer(self, question: Question, now: float, *, fresh: bool) -> Answer | None:
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
                known = Known(min(now + FRESH, ends), ends, reading.used)
                self._remember((plan.identities[i], question.subjects[plan.group_of[i]]), known)

    def _remember(self, key: Key, known: Known) -> None:
        self._known.pop(key, None)
        self._known[key] = known
        if len(self._known) > REMEMBERED:
            del self._known[next(iter(self._known))]  # the one that was learnt first
