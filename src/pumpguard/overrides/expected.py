"""What is announced: for a while, so many times as much as usual to one country or to all."""

from __future__ import annotations

from dataclasses import dataclass

MOST_TIMES = 100.0
LONGEST = 7 * 86_400
"""Seconds. What lasts longer is no launch: then `daily_budget` is too small."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """So many ``times`` as much as usual, which a person has announced: who, when (``at``, Unix
    seconds), why, and until when."""

    times: float
    author: str
    at: float
    until: float
    reason: str = ""

    def in_force(self, now: float) -> bool:
        return now < self.until
