"""Far more than usual: the last ten minutes against the last two days.

The average is of whole hours, so that a day's shape is in it: a day's peak is about twice its mean,
well below a ratio of three. It is poisoned slowly: an hour adds at most twice of what is usual, a
48th of it, so an attack has to go on for 53 hours until three times as much is usual (1.0208 per
hour), and is a spike all that time.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import ClassVar

from pumpguard.counters.base import Segment, Timed
from pumpguard.counters.window import Counts
from pumpguard.decision import Action


@dataclass(frozen=True, slots=True)
class Spike(Timed):
    """Whether there is far more of something than usual: at least ``minimum`` hits in the last
    ``seconds``, and more than ``ratio`` times what is usual in that time, by the last two days.

    It is full meanwhile, never refuses, and goes on counting. Within the first day nothing is one.
    Its reading's ``detail`` is what is usual, in thousandths, and how many hours (at most 65,535)
    that is known from.
    """

    rule: str
    by: str = "everything"
    ratio: float = 3.0
    minimum: int = 50
    seconds: int = 600
    counts: Counts = "admissions"
    action: Action = Action.ALLOW

    may_refuse: ClassVar[bool] = False

    @property
    def counts_attempts(self) -> bool:
        return self.counts == "attempts"

    @property
    def layout(self) -> str:
        return self.counts

    @property
    def limit_on_the_wire(self) -> int:
        return self.minimum

    def tail(self, segment: Segment) -> bytes:
        """The ratio, in permille (4)."""
        return struct.pack(">I", round(1000 * self.ratio))

    def divided(self, parts: int) -> Spike:
        return replace(self, minimum=max(1, self.minimum // parts))
