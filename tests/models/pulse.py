"""The pulse by its definition: messages without an answer, and verifications that are missed."""

from __future__ import annotations

from copy import deepcopy

from pumpguard.counters import Pulse, Reading
from tests.models.base import DAY, Facts, Model, reading

HALF_AN_HOUR = 1_800_000
ONE, UNANSWERED = 4605, 688
"""1000 ln 100, and 1000 ln (0.995 / 0.5): what a verification takes, and a message without adds."""
GROWTH = 1_818_182
"""Half an hour / 0.99."""
SLICE, LAG = 30_000, 60_000
FIVE_MINUTES = 300_000
FORGOTTEN = 7 * DAY


class PulseModel(Model[Pulse]):
    """One pulse. Times are in ms, sums in milli-nats, the average in thousandths of an arrival per
    half an hour; ``waiting`` are the messages by slice that are not a minute old."""

    def __init__(self) -> None:
        self.seen, self.average, self.last = 0, 0, 0
        self.by_clock, self.by_messages, self.reckoned, self.since = 0, 0, 0, 0
        self.down = False
        self.waiting: dict[int, int] = {}

    def at(self, counter: Pulse, now: int) -> PulseModel:
        """What it has become by now."""
        then, most = deepcopy(self), 2 * round(1000 * counter.h)
        now = max(now, self.reckoned)
        if now - then.last > FORGOTTEN:
            then.seen, then.average = 0, 0
        for index in list(then.waiting):
            if (index + 1) * SLICE + LAG <= now:
                then.by_messages += then.waiting.pop(index) * UNANSWERED
        then.by_messages = min(most, then.by_messages)
        if not then.by_messages:
            then.by_clock, then.since = 0, 0
        else:
            if not then.since:  # messages have waited for 90 s, or since the last verification
                then.since = then.reckoned = now - min(SLICE + LAG, now - then.last)
            usual = max(0, then.average - 1000) * HALF_AN_HOUR // (HALF_AN_HOUR + now - then.last)
            passed = min(FIVE_MINUTES, now - then.reckoned)
            then.by_clock = min(most, then.by_clock + usual * passed // GROWTH)
        then.reckoned = now
        missing, alarm = then.missing, round(1000 * counter.h)
        lasting = missing >= 2 * alarm and now - then.since >= FIVE_MINUTES
        then.down = then.seen >= counter.minimum and missing >= alarm and (self.down or lasting)
        return then

    @property
    def missing(self) -> int:
        """What both sums say is missing."""
        return min(self.by_clock, self.by_messages)

    def look(self, counter: Pulse, facts: Facts) -> Reading:
        then = self.at(counter, facts.now)
        silent = then.missing >= round(1000 * counter.h)
        facts.unheard = then.seen >= counter.minimum and silent
        facts.no_verifications = then.seen < counter.minimum or silent
        began = then.since if then.down else 0
        return reading(then.missing, 1000 if then.down else 0, then.seen, began)

    def charge(self, counter: Pulse, facts: Facts) -> None:
        self.__dict__ = self.at(counter, facts.now).__dict__
        index = self.reckoned // SLICE
        self.waiting[index] = self.waiting.get(index, 0) + 1

    def weigh(self, counter: Pulse, facts: Facts) -> None:
        self.look(counter, facts)
        if not self.reckoned and facts.outcome != "verified":
            return
        self.__dict__ = self.at(counter, facts.now).__dict__
        sent = min(self.reckoned // SLICE, facts.sent_at // SLICE)
        waited = self.waiting.get(sent, 0) > 0
        if waited:
            self.waiting[sent] -= 1
        if facts.outcome == "failed":
            if not waited:
                self.by_messages = max(0, self.by_messages - UNANSWERED)
            return
        self.by_clock = max(0, self.by_clock - ONE)
        self.by_messages = max(0, self.by_messages - ONE)
        self.down = self.down and self.missing >= round(1000 * counter.h)
        if facts.outcome == "verified":
            passed = self.reckoned - self.last
            decayed = self.average * HALF_AN_HOUR // (HALF_AN_HOUR + passed)
            self.seen, self.last = min(65_535, self.seen + 1), self.reckoned
            self.average = min(2_000_000_000, decayed + 1000)
