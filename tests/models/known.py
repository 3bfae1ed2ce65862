"""Known numbers: until when, and when one last counted."""

from __future__ import annotations

from pumpguard.counters import Known, Reading
from pumpguard.store.base import Open
from tests.models.base import DAY, Facts, Model, reading


class KnownModel(Model[Known]):
    """Until when a number is known, when a verification last counted, and the last twelve places
    from where it was verified."""

    def __init__(self) -> None:
        self.until, self.counted = 0, 0
        self.clients: list[str | bytes] = []

    def look(self, counter: Known, facts: Facts) -> Reading:
        facts.known = self.until > facts.now
        here = facts.remembered[: counter.clients] if facts.ticket else ()
        anywhere = counter.clients == 0
        facts.familiar = facts.known and (anywhere or any(each in self.clients for each in here))
        return reading(int(facts.known), 0)

    def verified(self, counter: Known, now: int, newest: Open | None) -> bool:
        """It is known from now on. Whether that counts: with a ticket, once in 24 hours."""
        self.until = max(self.until, now + counter.span)
        places = newest.remembered[: counter.clients] if newest else ()
        here = [each for each in places if each is not None]
        self.clients = [*here, *(each for each in self.clients if each not in here)][:12]
        counts = newest is not None and now - self.counted >= DAY
        self.counted = now if counts else self.counted
        return counts
