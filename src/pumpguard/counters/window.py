"""A sliding window. With a limit of up to 512 it is a log of exact times, above that in slices."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import ClassVar, Literal

from pumpguard.counters.base import Limited, Segment
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

    With ``max_factor`` above 1, the headroom that the subject has earned (see `Trust`) is added to
    the limit, up to ``max_factor`` times the limit. Its reading's ``detail`` is then the limit that
    holds now, and the headroom. Windows of one rule that count the same about one subject, and are
    small enough for a log, read one log together.
    """

    rule: str
    by: str
    limit: int
    seconds: int
    action: Action = Action.THROTTLE
    counts: Counts = "admissions"
    max_factor: int = 1

    told_of: ClassVar[frozenset[str]] = frozenset({"failed"})

    @property
    def counts_attempts(self) -> bool:
        return self.counts == "attempts"

    @property
    def log(self) -> tuple[str, ...] | None:
        keeps_log = self.limit * self.max_factor <= EXACT_UP_TO
        return (self.rule, self.by, self.counts) if keeps_log else None

    @property
    def parts(self) -> tuple[str, ...]:
        return (layout_for(self.limit * self.max_factor),)

    @property
    def layout(self) -> str:
        attempts = " of attempts" if self.counts_attempts else ""
        return layout_for(self.limit * self.max_factor) + attempts

    def tail(self, segment: Segment) -> bytes:
        """How many windows read the log (1; 0 for slices); of each whether it binds (1), up to how
        many times its limit (1), limit (2) and span in ms (6). In slices, up to how many times."""
        if self.log is None:
            return bytes([0, self.max_factor])
        windows = [each for each in segment.counters if isinstance(each, Window)]
        return bytes([len(windows)]) + b"".join(
            struct.pack(">BBH", binds, each.max_factor, each.limit) + each.span.to_bytes(6)
            for each, binds in zip(windows, segment.binds, strict=True)
        )


def layout_for(highest: int) -> str:
    """How hits are stored of which at most so many may matter at once, and the Lua for that."""
    return "log" if highest <= EXACT_UP_TO else "slices"
