"""Far more than usual: the last ten minutes against the last two days. Twin: ``spike.lua``.

The average is of whole hours, so that a day's shape is in it: a day's peak is about twice its mean,
well below a ratio of three. It is poisoned slowly: an hour adds at most twice of what is usual, a
48th of it, so an attack has to go on for 53 hours until three times as much is usual (1.0208 per
hour), and is a spike all that time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from pumpguard.counters import Spike

HOUR = 3_600_000
HOURS_KEPT = 192
REMEMBERED = 48
FOUNDED = 24
SLICES = 10
MOST = 16_777_215


class Kept(NamedTuple):
    """The current hour, how many were seen before it, their average (thousandths of a hit), hits in
    the current one, the current slice, and hits by slice, newest first."""

    hour: int
    seen: int
    average: int
    hits: int
    slice: int
    counts: tuple[int, ...]


@dataclass(slots=True)
class SpikeLook:
    """The counts at one moment."""

    now: int
    used: int
    wait: int
    usual: int
    kept: Kept

    @property
    def detail(self) -> tuple[int, int]:
        """What is usual in that time, in thousandths, and how many hours that is known from."""
        return self.usual, self.kept.seen

    def charged(self) -> tuple[Kept, int]:
        """One more."""
        hour, seen, average, hits, index, counts = self.kept
        counts = (min(MOST, counts[0] + 1), *counts[1:])
        return Kept(hour, seen, average, hits + 1, index, counts), self.now + (
            HOURS_KEPT + 1
        ) * HOUR


def look(counter: Spike, stored: Kept | None, now: int) -> SpikeLook:
    """Read the counts, brought forward to this time."""
    span, permille = counter.seconds * 1000, round(1000 * counter.ratio)
    index, hour = now // (span // SLICES), now // HOUR
    if stored is None or hour - stored.hour > HOURS_KEPT:
        stored = Kept(hour, 0, 0, 0, index, (0,) * SLICES)
    at_hour, seen, average, hits, newest, counts = stored
    # Below this many an hour nothing is a spike, so it may become usual at once. In floats, as Lua
    # does it.
    most = math.floor(counter.minimum * 1000 * (HOUR / span) * 1000 / permille)
    while at_hour < hour:
        average, seen = _folded(average, seen, hits, most)
        at_hour, hits = at_hour + 1, 0
    if index > newest:
        counts = ((0,) * min(SLICES, index - newest) + counts)[:SLICES]
        newest = index
    used, usual = sum(counts), average * span / HOUR
    spike = seen >= FOUNDED and used >= counter.minimum and used * 1e6 > usual * permille
    kept = Kept(at_hour, seen, average, hits, newest, counts)
    return SpikeLook(now, used, 1000 if spike else 0, int(usual), kept)


def _folded(average: int, seen: int, hits: int, most: int) -> tuple[int, int]:
    """The average with one more hour."""
    worth = hits * 1000
    if seen >= FOUNDED:
        worth = min(worth, max(2 * average, most))
    seen = min(65_535, seen + 1)
    return average + (worth - average) // min(seen, REMEMBERED), seen
