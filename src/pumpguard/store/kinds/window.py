"""Sliding windows that never admit more than their limit. Twin: ``window.lua``.

Limits up to 512 keep the exact time of each hit, and windows of one rule about one subject share
these. Larger ones keep a count per slice and sum every slice that touches the window: that sum is
never below the true count, so the true window ``(t − W, t]`` never holds more than the limit,
whatever the sequence of requests. (Interpolating between two buckets admits up to 1.99 times the
limit to a client that knows the bucket edges.)

A window with room is held to the limit that holds when it is asked, and kept as the highest one
that it may ever have needs to be.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TypeAlias, cast

from pumpguard.counters import EXACT_UP_TO, SLICES, Window

Log: TypeAlias = tuple[int, ...]
Slices: TypeAlias = tuple[int, tuple[int, ...]]


@dataclass(slots=True)
class LogLook:
    """The exact log: the ``times`` of all hits that it keeps, oldest first, of which this window
    looks at the last ``span`` ms. What is older than the ``longest`` window can be forgotten."""

    limit: int
    span: int
    now: int
    times: Log
    longest: int
    detail: tuple[int, ...] = ()

    @property
    def used(self) -> int:
        """Hits inside the window."""
        return len(self.times) - bisect_right(self.times, self.now - self.span)

    @property
    def wait(self) -> int:
        """Until the oldest hit that matters leaves the window."""
        if len(self.times) < self.limit:
            return 0
        return max(0, self.times[-self.limit] + self.span - self.now)

    def charged(self) -> tuple[Log, int]:
        """With one more hit."""
        live = self.times[bisect_right(self.times, self.now - self.longest) :]
        return (*live, self.now)[-EXACT_UP_TO:], self.now + self.longest


@dataclass(slots=True)
class SlicesLook:
    """Conservative slices: ``counts`` is the current slice and the ones before it."""

    limit: int
    span: int
    now: int
    index: int
    counts: tuple[int, ...]
    detail: tuple[int, ...] = ()

    @property
    def used(self) -> int:
        """All hits in slices that touch the window."""
        return sum(self.counts)

    @property
    def wait(self) -> int:
        """Until enough of the oldest slices have left the window."""
        left, passed = self.used, 0
        while left + 1 > self.limit:
            left -= self.counts[SLICES - passed]
            passed += 1
        return (self.index + passed) * (self.span // SLICES) - self.now if passed else 0

    def charged(self) -> tuple[Slices, int]:
        """One more in the current slice."""
        counts = (self.counts[0] + 1, *self.counts[1:])
        return (self.index, counts), self.now + self.span + self.span // SLICES


def look(
    limit: int, span: int, stored: Log | Slices | None, now: int, highest: int = 0, longest: int = 0
) -> LogLook | SlicesLook:
    """Read a window of ``span`` milliseconds; what is stored has the layout of its ``highest``
    limit (by default the only one), because that is part of a counter's identity. ``longest`` is
    the span of the longest window that shares a log (by default this one)."""
    highest = highest or limit
    if highest <= EXACT_UP_TO:
        times = cast(Log, stored or ())
        now = max(now, times[-1]) if times else now
        return LogLook(limit, span, now, times, longest or span)
    return SlicesLook(limit, span, *slid(span, cast(Slices | None, stored), now))


def with_room(
    counter: Window, room: int, stored: Log | Slices | None, now: int, longest: int = 0
) -> LogLook | SlicesLook:
    """Read a window that lets through more where that was earned."""
    highest = counter.limit * counter.most
    held = min(highest, counter.limit + room)
    found = look(held, counter.seconds * 1000, stored, now, highest, longest)
    found.detail = (held, room)
    return found


def slid(span: int, stored: Slices | None, now: int) -> tuple[int, int, tuple[int, ...]]:
    """The time, the current slice's index, and the slices that touch the window, newest first."""
    width = span // SLICES
    index = now // width
    if stored is None:
        return now, index, (0,) * (SLICES + 1)
    newest, counts = stored
    index = max(index, newest)
    shifted = ((0,) * min(index - newest, SLICES + 1) + counts)[: SLICES + 1]
    return max(now, newest * width), index, shifted
