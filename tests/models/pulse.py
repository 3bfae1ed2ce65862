"""The pulse by its definition: what was to be expected against what arrives."""

from __future__ import annotations

import math

from pumpguard.counters import Pulse, Reading
from tests.models.base import DAY, Facts, Model, reading

HALF_AN_HOUR = 1_800_000
ONE = 4605
"""1000 ln 100: what each arrival takes from the sum."""
GROWTH = 1_818_182
"""Half an hour / 0.99."""
FORGOTTEN = 7 * DAY


class PulseModel(Model[Pulse]):
    """One pulse. Times are in ms, the sum in milli-nats, the average in thousandths of an arrival
    per half an hour."""

    def __init__(self) -> None:
        self.seen, self.average, self.last, self.sum, self.began = 0, 0, 0, 0, 0

    def at(self, counter: Pulse, now: int) -> tuple[int, int]:
        """The sum by now, and when the outage began (0 without one)."""
        if now - self.last > FORGOTTEN:
            return 0, 0
        alarm, rate = round(1000 * counter.h), max(0, self.average - 1000)
        passed = max(0, now - self.last)
        grown = min(2 * alarm, self.sum + math.floor(float(rate) * passed / GROWTH))
        if self.seen < counter.minimum or grown < (alarm if self.began else 2 * alarm):
            return grown, 0
        reached = self.last + math.ceil(float(max(0, 2 * alarm - self.sum)) * GROWTH / max(1, rate))
        return grown, self.began or reached

    def look(self, counter: Pulse, facts: Facts) -> Reading:
        (grown, began), seen = self.at(counter, facts.now), self.seen
        if facts.now - self.last > FORGOTTEN:
            seen = 0
        silent = grown >= round(1000 * counter.h)
        facts.no_verifications = seen < counter.minimum or silent
        return reading(grown, 1000 if began else 0, seen, began)

    def weigh(self, counter: Pulse, facts: Facts) -> None:
        self.look(counter, facts)
        if facts.outcome == "verified":
            self.verified(counter, facts.now)

    def verified(self, counter: Pulse, now: int) -> None:
        """A verification arrives."""
        grown, began = self.at(counter, now)
        if now - self.last > FORGOTTEN:
            self.seen, self.average, self.last = 0, 0, now
        now = max(now, self.last)
        decayed = self.average * HALF_AN_HOUR // (HALF_AN_HOUR + now - self.last)
        self.sum = max(0, grown - ONE)
        self.began = began if self.sum >= round(1000 * counter.h) else 0
        self.seen, self.average, self.last = min(65_535, self.seen + 1), decayed + 1000, now
