"""The store for one process: the same semantics as Redis, exact, bounded, safe when full."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeAlias

from pumpguard.counters import Ban, Counter, Distinct, Neighbours, Reading, Window
from pumpguard.errors import StoreError
from pumpguard.store.base import (
    Answer,
    Question,
    Redeemed,
    Redemption,
    Settlement,
    counts_attempts,
    feeds,
    gives_strikes,
)
from pumpguard.store.kinds import Look, Stored, ban, distinct, neighbours, window

Key: TypeAlias = tuple[str, ...]


class StoreFull(StoreError):
    """Every place is taken by a live counter; forgetting one would admit too much."""


class MemoryStore:
    """Counters in this process, at most ``capacity`` of them.

    Use it in tests, for an app with one process, and as the limiter while Redis is away. When it
    is full of live counters it refuses new subjects rather than forget old ones.
    """

    def __init__(self, capacity: int = 200_000, clock: Callable[[], float] = time.time) -> None:
        self.capacity = capacity
        self._clock = clock
        self._kept: dict[Key, tuple[Stored, int]] = {}

    async def decide(self, question: Question) -> Answer:
        """Read all, decide all, charge all or nothing. Raises `StoreFull`."""
        return self.decide_now(question)

    async def redeem(self, redemption: Redemption) -> Redeemed:
        """Take a number's open tickets. Raises `StoreError`."""
        raise NotImplementedError

    async def settle(self, settlements: Sequence[Settlement]) -> int:
        """Apply outcomes. Raises `StoreError`."""
        raise NotImplementedError

    async def aclose(self) -> None:
        """Nothing to let go of."""

    def __len__(self) -> int:
        return len(self._kept)

    def decide_now(self, question: Question) -> Answer:
        """The decision itself, without a coroutine around it."""
        at = self._clock() if question.at is None else question.at
        trip = Trip(question, int(at * 1000), self._stored)
        self._write(trip.writes, trip.now)
        return Answer(trip.admitted, trip.readings(), trip.now / 1000)

    def _stored(self, key: Key, now: int) -> Stored | None:
        stored, expires = self._kept.get(key, (None, 0))
        return stored if expires > now else None

    def _write(self, writes: dict[Key, tuple[Stored, int]], now: int) -> None:
        if self._lacks_room(writes):
            self._kept = {key: kept for key, kept in self._kept.items() if kept[1] > now}
        if self._lacks_room(writes):
            # Strikes that have led to no ban yet are the one thing that refused requests may
            # create; they must not be able to crowd out what was admitted.
            self._kept = {key: kept for key, kept in self._kept.items() if not _only_strikes(*kept)}
        if self._lacks_room(writes):
            raise StoreFull(f"all {self.capacity} places hold live counters")
        self._kept.update(writes)

    def _lacks_room(self, writes: dict[Key, tuple[Stored, int]]) -> bool:
        return len(self._kept) + sum(key not in self._kept for key in writes) > self.capacity


class Trip:
    """One question being answered, step by step as in ``decide.lua``."""

    def __init__(
        self, question: Question, now: int, stored: Callable[[Key, int], Stored | None]
    ) -> None:
        plan = question.plan
        self.question = question
        self.now = now
        self.writes: dict[Key, tuple[Stored, int]] = {}
        self.keys = [
            (identity, question.subjects[group])
            for identity, group in zip(plan.identities, plan.group_of, strict=True)
        ]
        self.bans: dict[int, ban.BanLook] = {}
        self.counts: dict[int, Look] = {}
        members = iter(question.members)
        for i, counter in enumerate(plan.counters):
            kept = stored(self.keys[i], now)
            if isinstance(counter, Ban):
                self.bans[i] = ban.look(counter, kept, now)
            else:
                member = next(members) if isinstance(counter, Distinct) else ""
                self.counts[i] = look_at(counter, member, question.place, kept, now)
        binds = plan.binds
        # A standing ban ends it here, and writes nothing: being banned must stay cheap.
        self.standing = {i: look for i, look in self.bans.items() if binds[i] and look.wait}
        self.admitted = not self.standing and self._decide()

    def readings(self) -> dict[int, Reading]:
        """Of the bans that stand, else of every counter or of those that are full."""
        if self.standing:
            return {i: Reading(look.used, look.wait / 1000) for i, look in self.standing.items()}
        looks: list[tuple[int, Look | ban.BanLook]] = [*self.bans.items(), *self.counts.items()]
        waits = [(i, look, look.wait) for i, look in looks]
        return {
            i: Reading(look.used, wait / 1000)
            for i, look, wait in waits
            if wait or self.question.plan.reports
        }

    def _decide(self) -> bool:
        counters = self.question.plan.counters
        # Attempts count whatever becomes of the request.
        for i, found in self.bans.items():
            if counts_attempts(found.ban) and not found.wait:
                self.writes[self.keys[i]] = found.strike(self.question.jitter)
        refusing = self._refusing()
        admitted = not refusing and not self.question.refused
        for i, look in self.counts.items():
            if counts_attempts(counters[i]) or (admitted and not look.wait):
                self.writes[self.keys[i]] = look.charged()
        if not admitted:
            self._feed(frozenset(c.rule for c in refusing if gives_strikes(c)))
        return admitted

    def _refusing(self) -> list[Counter]:
        plan = self.question.plan
        looks: dict[int, Look | ban.BanLook] = {**self.bans, **self.counts}
        return [plan.counters[i] for i, look in looks.items() if plan.binds[i] and look.wait]

    def _feed(self, refused_by: frozenset[str]) -> None:
        for i, found in self.bans.items():
            if not found.wait and feeds(found.ban, refused_by | self.question.refused_by):
                self.writes[self.keys[i]] = found.strike(self.question.jitter)


def look_at(
    counter: Counter,
    member: str,
    place: int,
    stored: Stored | None,
    now: int,
) -> Look:
    """Read a counter of any kind but a ban."""
    match counter:
        case Window(limit=limit, seconds=seconds):
            return window.look(limit, seconds * 1000, stored, now)
        case Distinct(limit=limit, seconds=seconds):
            return distinct.look(limit, seconds * 1000, member, stored, now)
        case Neighbours(limit=limit, seconds=seconds):
            span = seconds * 1000
            return neighbours.look(limit, span, place, counter.distance, stored, now)
    raise NotImplementedError


def _only_strikes(stored: Stored, _expires: int) -> bool:
    match stored:
        case (0, 0, _):
            return True
    return False
