"""The pulse by its definition: what was to be expected against what arrives."""

from __future__ import annotations

import math

HALF_AN_HOUR = 1_800_000
ONE = 4605
"""1000 ln 100: what each arrival takes from the sum."""
GROWTH = 1_818_182
"""Half an hour / 0.99."""
FORGOTTEN = 7 * 86_400_000


class PulseModel:
    """One pulse. Times are in ms, the sum in milli-nats, the average in thousandths of an arrival
    per half an hour."""

    def __init__(self, h: float, minimum: int) -> None:
        self.alarm, self.minimum = round(1000 * h), minimum
        self.seen, self.average, self.last, self.sum, self.outage = 0, 0, 0, 0, False

    def look(self, now: int) -> tuple[int, bool]:
        """The sum, and whether there is an outage."""
        if now - self.last > FORGOTTEN:
            self.seen, self.average, self.last, self.sum, self.outage = 0, 0, now, 0, False
        rate, passed = max(0, self.average - 1000), max(now, self.last) - self.last
        grown = min(2 * self.alarm, self.sum + math.floor(float(rate) * passed / GROWTH))
        bound = self.alarm if self.outage else 2 * self.alarm
        return grown, self.seen >= self.minimum and grown >= bound

    def verified(self, now: int) -> None:
        """A verification arrives."""
        grown, outage = self.look(now)
        now = max(now, self.last)
        decayed = self.average * HALF_AN_HOUR // (HALF_AN_HOUR + now - self.last)
        self.sum = max(0, grown - ONE)
        self.outage = outage and self.sum >= self.alarm
        self.seen, self.average, self.last = self.seen + 1, decayed + 1000, now
