"""The store for one process: the same semantics as Redis, exact, bounded, safe when full."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from pumpguard.errors import StoreError
from pumpguard.store.base import Answer, Question, Redeemed, Redemption, Settlement
from pumpguard.store.kinds import Stored
from pumpguard.store.outcome import Told, redeem
from pumpguard.store.overrides import MemoryOverrides
from pumpguard.store.trip import Key, Trip, Writes


class StoreFull(StoreError):
    """Every place is taken by a live counter; forgetting one would admit too much."""


class MemoryStore:
    """Counters in this process, at most ``capacity`` of them.

    Use it in tests, for an app with one process, and as the limiter while Redis is away. When it
    is full of live counters it refuses new subjects rather than forget old ones.
    """

    def __init__(self, capacity: int = 200_000, clock: Callable[[], float] = time.time) -> None:
        self.capacity = capacity
        self.overrides = MemoryOverrides(clock)
        self._clock = clock
        self._kept: dict[Key, tuple[Stored, int]] = {}

    async def decide(self, question: Question) -> Answer:
        """Read all, decide all, charge all or nothing. Raises `StoreFull`."""
        if question.overrides_version != self.overrides.version:
            return Answer(False, {}, self._now(question.at) / 1000, outdated=True)
        return self.decide_now(question)

    async def redeem(self, redemption: Redemption) -> Redeemed:
        """Take a number's open tickets. Raises `StoreFull`."""
        now = self._now(redemption.at)
        done, writes = redeem(redemption, now, self._stored)
        self._write(writes, now)
        return done

    async def settle(self, settlements: Sequence[Settlement]) -> int:
        """Apply outcomes. Raises `StoreFull`."""
        applied = 0
        for settlement in settlements:
            now = self._now(settlement.at)
            told = Told(settlement, now, self._stored)
            self._write(told.writes, now)
            applied += told.applied
        return applied

    async def aclose(self) -> None:
        """Nothing to let go of."""

    def __len__(self) -> int:
        return len(self._kept)

    def decide_now(self, question: Question) -> Answer:
        """The decision itself, without a coroutine around it, whatever the overrides."""
        trip = Trip(question, self._now(question.at), self._stored)
        self._write(trip.writes, trip.now)
        ticket = question.ticket if trip.admitted and question.plan.writes_tickets else b""
        known = trip.facts.known
        return Answer(trip.admitted, trip.readings(), trip.now / 1000, known, ticket)

    def _now(self, at: float | None) -> int:
        return int((self._clock() if at is None else at) * 1000)

    def _stored(self, key: Key, now: int) -> Stored | None:
        stored, expires = self._kept.get(key, (None, 0))
        return stored if expires > now else None

    def _write(self, writes: Writes, now: int) -> None:
        if self._lacks_room(writes):
            self._kept = {key: kept for key, kept in self._kept.items() if kept[1] > now}
        if self._lacks_room(writes):
            # Strikes that have led to no ban yet are the one thing that refused requests may
            # create; they must not be able to crowd out what was admitted.
            self._kept = {key: kept for key, kept in self._kept.items() if not _only_strikes(*kept)}
        if self._lacks_room(writes):
            raise StoreFull(f"all {self.capacity} places hold live counters")
        self._kept.update(writes)

    def _lacks_room(self, writes: Writes) -> bool:
        return len(self._kept) + sum(key not in self._kept for key in writes) > self.capacity


def _only_strikes(stored: Stored, _expires: int) -> bool:
    match stored:
        case (0, 0, _):
            return True
    return False
