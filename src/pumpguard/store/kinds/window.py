"""Sliding windows that never admit more than their limit. Twin: ``log.lua``.

Limits up to 512 keep the exact time of each hit, and windows of one rule about one subject share
these. Larger ones are kept in slices (``slices.py``). Either way the true window ``(t − W, t]``
never holds more than the limit, whatever the sequence of requests. (Interpolating between two
buckets admits up to 1.99 times the limit to a client that knows the bucket edges.)

A window with room is held to the limit that holds when it is asked, and kept as the highest one
that it may ever have needs to be.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TypeAlias, cast

from pumpguard.counters import EXACT_UP_TO, Window
from pumpguard.store.kinds import slices
from pumpguard.store.kinds.slices import Slices

Log: TypeAlias = tuple[int, ...]


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


def look(
    limit: int, span: int, stored: Log | Slices | None, now: int, highest: int = 0, longest: int = 0
) -> LogLook | slices.SlicesLook:
    """Read a window of ``span`` milliseconds; what is stored has the layout of its ``highest``
    limit (by default the only one), because that is part of a counter's identity. ``longest`` is
    the span of the longest window that shares a log (by default this one)."""
    highest = highest or limit
    if highest <= EXACT_UP_TO:
        times = cast(Log, stored or ())
        now = max(now, times[-1]) if times else now
        return LogLook(limit, span, now, times, longest or span)
    return slices.look(limit, span, 1, cast(Slices | None, stored), now)


def with_room(
    counter: Window, room: int, stored: Log | Slices | None, now: int, longest: int = 0
) -> LogLook | slices.SlicesLook:
    """Read a window that lets through more where that was earned."""
    highest = counter.limit * counter.most
    held = min(highest, counter.limit + room)
    found = look(held, counter.seconds * 1000, stored, now, highest, longest)
    found.detail = (held, room)
    return found
