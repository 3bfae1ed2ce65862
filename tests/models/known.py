"""Known numbers: until when, and when one last counted."""

from __future__ import annotations

from pumpguard.counters import Known, Reading
from tests.models.base import DAY, Facts, Model, reading


class KnownModel(Model[Known]):
    """Until when a number is known, and when a verification last counted."""

    def __init__(self) -> None:
        self.until, self.counted = 0, 0

    def look(self, counter: Known, facts: Facts) -> Reading:
        facts.known = self.until > facts.now
        return reading(int(facts.known), 0)

    def verified(self, counter: Known, now: int, has_ticket: bool) -> bool:
        """It is known from now on. Whether that counts: with a ticket, once in 24 hours."""
        self.until = max(self.until, now + counter.span)
        counts = has_ticket and now - self.counted >= DAY
        self.counted = now if counts else self.counted
        return counts
