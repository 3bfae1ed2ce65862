"""The spike by its definition: the last minutes against the average of the hours before."""

from __future__ import annotations

from pumpguard.counters import Reading, Spike
from tests.models.base import Facts, Model, reading

HOUR = 3_600_000
FOUNDED, REMEMBERED, FORGOTTEN = 24, 48, 192
"""Hours before anything is a spike; hours in the average; hours of silence."""


class HourlyAverage:
    """Thousandths of a hit per hour, over the last two days; ``least`` is the average below which
    nothing is a spike."""

    def __init__(self, least: int = 0) -> None:
        self.least, self.seen, self.average = least, 0, 0

    def hour(self, hits: int) -> None:
        """An hour with so many hits is over."""
        counted = 1000 * hits
        if self.seen >= FOUNDED:  # a spike cannot make itself usual at once
            counted = min(counted, max(2 * self.average, self.least))
        self.seen += 1
        self.average += (counted - self.average) // min(self.seen, REMEMBERED)


class SpikeModel(Model[Spike]):
    """The hour and the tenth of the span of every hit since the last long silence."""

    always = True

    def __init__(self) -> None:
        self.hours: list[int] = []
        self.slices: list[int] = []

    def look(self, counter: Spike, facts: Facts) -> Reading:
        hour, index = facts.now // HOUR, facts.now * 10 // counter.span
        if self.hours and hour - self.hours[-1] > FORGOTTEN:
            return reading(0, 0, 0, 0)
        permille = round(1000 * counter.ratio)
        least = counter.minimum * 1000 * HOUR * 1000 // (counter.span * permille)
        usual = HourlyAverage(least)
        for each in range(min([hour, *self.hours]), max([hour, *self.hours])):
            usual.hour(self.hours.count(each))
        index = max([index, *self.slices])
        used = sum(each > index - 10 for each in self.slices)
        expected = usual.average * counter.span  # in thousandths, times an hour
        spike = used * 1_000_000 * HOUR > expected * permille
        full = usual.seen >= FOUNDED and used >= counter.minimum and spike
        return reading(used, 1000 if full else 0, expected // HOUR, usual.seen)

    def charge(self, counter: Spike, facts: Facts) -> None:
        hour, index = facts.now // HOUR, facts.now * 10 // counter.span
        if self.hours and hour - self.hours[-1] > FORGOTTEN:
            self.hours, self.slices = [], []
        self.hours.append(max([hour, *self.hours[-1:]]))
        self.slices.append(max([index, *self.slices[-1:]]))
