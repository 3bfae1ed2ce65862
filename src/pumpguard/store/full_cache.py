"""What is full stays full: a process remembers it, and refuses by itself.

Most requests of a flood come from subjects that are banned already, or ask for what has just been
found to be full. A ban ends a decision whatever else there is to read: for as long as it is fresh,
whoever is banned is refused without a round trip. Other counters are full for strangers: their
refusals are gathered, and told to the store together (`Store.refuse`), which counts them and picks
out whoever is no stranger; those are decided by the store, like everybody else.

While the store is away, the bans that are known here stay enforced to their end.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar
from weakref import WeakKeyDictionary

from pumpguard.counters import Reading
from pumpguard.decision import Action
from pumpguard.errors import StoreError
from pumpguard.store.base import Answer, Question, Redeemed, Redemption, Refusal, Settlement, Store
from pumpguard.store.gathered import Gathered
from pumpguard.store.in_front import StoreInFront
from pumpguard.store.line import IN_FLIGHT, Line, phone_of
from pumpguard.store.scripted import shard_of

FRESH = 5.0
"""Seconds for which a ban is applied without asking, so a ban that is lifted ends everywhere within
them."""

LASTING = 0.8
"""Seconds for which any other counter is taken for full. Verifications and refunds make room: where
this process tells them, the next request asks whether there is; others see it within a second (with
a deadline of 0.1 s or less, and the time in which refusals are gathered)."""

ASKED_AGAIN = 0.4
"""After so many of them one request asks the store, so that the others need not."""

MOST = 10_000
"""Bans that are remembered, and subjects of which other counters are full. What was learnt first is
forgotten first."""

K = TypeVar("K")
T = TypeVar("T")


class CachedBan(NamedTuple):
    """A ban that the store reported; both times are in Unix seconds."""

    fresh_until: float
    ends: float
    level: int


@dataclass(slots=True)
class CachedFull:
    """A counter that the store found full, for requests of ``price`` or more (µ$); times are in
    Unix seconds. One request is to ask anew at ``again``, or when there is room since ``made``."""

    since: float
    again: float
    until: float
    ends: float
    price: int
    reading: Reading
    made: int


class FullCache(StoreInFront):
    """Answers for what is known to be full, and passes all other questions on to ``store``, which
    has so many ``shards``.

    A shadow is always the store's to cast: from memory the reply would come a round trip sooner
    than one to a message that is sent, and give the ban away.
    """

    def __init__(
        self, store: Store, clock: Callable[[], float] = time.time, *, shards: int = 1
    ) -> None:
        super().__init__(store)
        self._clock, self._shards = clock, shards
        self._bans: dict[tuple[str, int, str], CachedBan] = {}
        """By the ban's identity, the shard and the subject."""
        self._full: dict[str, dict[tuple[str, int], CachedFull]] = {}
        """By the subject, the counter in words and the shard."""
        self._version, self._made = b"", 0
        self._gathered = WeakKeyDictionary[asyncio.AbstractEventLoop, dict[int, Gathered]]()
        self._lines = WeakKeyDictionary[asyncio.AbstractEventLoop, dict[int, Line]]()

    async def decide(self, question: Question) -> Answer:
        now = self._clock() if question.at is None else question.at
        if self._bans:
            banned = self._banned(question, now, fresh=True)
            if banned is not None:
                return banned
        try:
            if self._full:
                full = self._known_full(question, now)
                if full is not None:
                    refused = await self._refuse(Refusal(question, full))
                    if refused is not None:
                        return refused
            line = self._line(question.calling_code)
            if line.waiting or line.inside >= IN_FLIGHT:
                await line.wait(question)
            else:
                line.inside += 1
            try:
                answer = await self.store.decide(question)
            finally:
                line.inside -= 1
                if line.waiting:
                    line.let_in()
        except StoreError:
            banned = self._banned(question, now, fresh=False)
            if banned is None:
                raise
            return banned
        if answer.readings:
            self._learn(question, answer, now)
        if answer.known:
            line.knows(phone_of(question))
        return answer

    async def redeem(self, redemption: Redemption) -> Redeemed:
        redeemed = await super().redeem(redemption)
        if redeemed.counts:
            self._line(redemption.calling_code).knows(redemption.phone)
        return redeemed

    async def settle(self, settlements: Sequence[Settlement]) -> int:
        applied = await super().settle(settlements)
        if applied:  # what a code has taken makes no room for strangers before it is told
            self._made += 1  # to forget all would send a whole flood to the store, at each code
        return applied

    async def aclose(self) -> None:
        for each in self._gathered.get(asyncio.get_running_loop(), {}).values():
            await each.done()
        await super().aclose()

    def _banned(self, question: Question, now: float, *, fresh: bool) -> Answer | None:
        plan, shard = question.plan, self._shard(question.calling_code)
        readings = {}
        for i in plan.binding_bans:
            subject = question.subjects[plan.group_of[i]]
            ban = self._bans.get((plan.identities[i], shard, subject))
            if ban is None:
                continue
            if fresh and plan.counters[i].action is Action.SHADOW and now < ban.ends:
                return None
            if now < (ban.fresh_until if fresh else ban.ends):
                readings[i] = Reading(ban.level, ban.ends - now)
        return Answer(False, readings, now, recalled=True) if readings else None

    def _known_full(self, question: Question, now: float) -> Mapping[int, Reading] | None:
        """What is full for this question, if that refuses every stranger, and nothing else has to
        be asked."""
        plan, shard = question.plan, self._shard(question.calling_code)
        if question.overrides_version != self._version:
            self._full.clear()  # made by others, it may have been another question
            self._version = question.overrides_version
        if not plan.refused_alike:
            return None
        found: dict[int, CachedFull] = {}
        for subject, group in zip(question.subjects, plan.grouped, strict=True):
            known = self._full.get(subject, {})
            for i in group if known else ():
                full = known.get((plan.lasting.get(i, ""), shard))
                if full is None or question.price < full.price:
                    continue
                if not full.since <= now < full.until:
                    continue
                if plan.counters[i].action is Action.SHADOW:
                    return None
                found[i] = full
        if all(now >= full.again or full.made != self._made for full in found.values()):
            for full in found.values():
                full.again, full.made = full.until, self._made
            return None
        return {
            i: Reading(f.reading.used, f.ends - now, f.reading.detail) for i, f in found.items()
        }

    async def _refuse(self, refusal: Refusal) -> Answer | None:
        shard, loop = self._shard(refusal.question.calling_code), asyncio.get_running_loop()
        here = self._gathered.setdefault(loop, {})
        if shard not in here:
            here[shard] = Gathered(self.store)
        return await here[shard].add(refusal)

    def _learn(self, question: Question, answer: Answer, asked: float) -> None:
        """What is full is so since some moment between the question and now; from now it is
        remembered, or a process that is late would never know anything."""
        plan, shard = question.plan, self._shard(question.calling_code)
        now = self._clock() if question.at is None else asked
        for i in plan.binding_bans:
            reading = answer.readings.get(i)
            if reading is not None and reading.full:
                ends = asked + reading.wait
                ban = CachedBan(min(now + FRESH, ends), ends, reading.used)
                subject = question.subjects[plan.group_of[i]]
                _keep(self._bans, (plan.identities[i], shard, subject), ban)
        if answer.known or not plan.refused_alike:
            return
        for subject in question.subjects if answer.admitted else ():
            self._full.pop(subject, None)  # there was room
        for i, reading in answer.readings.items():
            counter = plan.lasting.get(i)
            if counter is None or not reading.full:
                continue
            price = plan.counters[i].full_from(reading, question.price)
            if price is not None:
                ends = asked + reading.wait
                until, again = min(now + LASTING, ends), min(now + ASKED_AGAIN, ends)
                subject = question.subjects[plan.group_of[i]]
                full = CachedFull(now, again, until, ends, price, reading, self._made)
                of_subject = self._full.get(subject, {})
                _keep(self._full, subject, {**of_subject, (counter, shard): full})

    def _shard(self, calling_code: str) -> int:
        return 0 if self._shards == 1 else shard_of(calling_code, self._shards)

    def _line(self, calling_code: str) -> Line:
        here, shard = self._lines.get(asyncio.get_running_loop()), self._shard(calling_code)
        if here is None:
            here = self._lines[asyncio.get_running_loop()] = defaultdict(lambda: Line(IN_FLIGHT))
        return here[shard]


def _keep(memory: dict[K, T], what: K, value: T) -> None:
    memory.pop(what, None)  # so that it is the newest
    memory[what] = value
    if len(memory) > MOST:
        del memory[next(iter(memory))]
