"""A sliding window. With a limit of up to 512 it is a log of exact times, above that in slices."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from pumpguard.counters.base import Limited, Reading, Segment
from pumpguard.decision import Action

Counts = Literal["attempts", "admissions"]
"""``attempts`` counts every request (a signal), ``admissions`` only what was let through (what
limits bind on)."""

EXACT_UP_TO = 512
"""Windows with at most this limit keep the exact time of every hit; wider ones keep slices."""

SLICES = 10
"""Slices per window above `EXACT_UP_TO`. All slices that touch the window count in full, so a
window never admits more than its limit and may hold a hit up to a tenth of the window too long."""


@dataclass(frozen=True, slots=True)
class Window(Limited):
    """At most ``limit`` hits in any ``seconds``.

    ``reserved`` of them are kept for customers, half of those for known numbers too (see `Known`);
    anybody else is let through up to ``limit - reserved``. With ``unverified``, messages that were
    verified give their places back.

    With ``max_factor`` above 1, the headroom that the subject has earned (see `Trust`) is added to
    what everybody has, up to ``max_factor`` times that. With that or with ``reserved``, its
    reading's ``detail`` is the limit that holds for this request, and the headroom. Windows of one
    rule that count the same about one subject, and are small enough for a log, read one log.
    """

    rule: str
    by: str
    limit: int
    seconds: int
    action: Action = Action.THROTTLE
    counts: Counts = "admissions"
    max_factor: int = 1
    reserved: int = 0
    unverified: bool = False

    told_of: ClassVar[frozenset[str]] = frozenset({"failed", "verified", "repeated"})

    @property
    def for_all(self) -> int:
        """The limit that holds for everybody."""
        return self.limit - self.reserved

    @property
    def highest(self) -> int:
        """The limit with everything that may come to it."""
        return self.for_all * self.max_factor + self.reserved

    @property
    def limit_on_the_wire(self) -> int:
        return self.for_all

    def hears(self, outcome: str) -> bool:
        """What was verified is nothing to one that counts all messages."""
        return (outcome == "failed" or self.unverified) and super(Window, self).hears(outcome)

    def full_from(self, reading: Reading, price: int) -> int | None:
        return 0

    def divided(self, parts: int) -> Window:
        reserved = self.reserved // parts
        return replace(self, limit=max(1, self.for_all // parts) + reserved, reserved=reserved)

    def divisible(self, parts: int) -> bool:
        return self.for_all >= parts

    @property
    def counts_attempts(self) -> bool:
        return self.counts == "attempts"

    @property
    def log(self) -> tuple[str, ...] | None:
        if self.highest > EXACT_UP_TO:
            return None
        return (self.rule, self.by, self.layout)

    @property
    def parts(self) -> tuple[str, ...]:
        return (layout_for(self.highest),)

    @property
    def layout(self) -> str:
        attempts = " of attempts" if self.counts_attempts else ""
        unverified = " of unverified" if self.unverified else ""
        return layout_for(self.highest) + attempts + unverified

    def tail(self, segment: Segment) -> bytes:
        """How many windows read the log (1; 0 for slices); of each whether it binds (1), up to how
        many times its limit (1), limit (2), what is reserved beside it (2) and span in ms (6). In
        slices, up to how many times (1), and what is reserved (4)."""
        if self.log is None:
            return struct.pack(">BBI", 0, self.max_factor, self.reserved)
        windows = [each for each in segment.counters if isinstance(each, Window)]
        return bytes([len(windows)]) + b"".join(
            struct.pack(">BBHH", binds, each.max_factor, each.for_all, each.reserved)
            + each.span.to_bytes(6)
            for each, binds in zip(windows, segment.binds, strict=True)
        )


def layout_for(highest: int) -> str:
    """How hits are stored of which at most so many may matter at once, and the Lua for that."""
    return "log" if highest <= EXACT_UP_TO else "slices"
