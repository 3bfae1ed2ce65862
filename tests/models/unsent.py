"""Attempts that sent nothing: when they were told."""

from __future__ import annotations

from pumpguard.counters import Reading, Unsent
from tests.models.base import Facts, Model, reading
from tests.models.window import Log


class UnsentModel(Model[Unsent]):
    """The attempts of a subject. Requests charge nothing."""

    def __init__(self) -> None:
        self.log = Log()

    def look(self, counter: Unsent, facts: Facts) -> Reading:
        headroom = facts.headroom.get(counter.by, 0)
        limit = min(counter.limit * counter.max_factor, counter.limit + headroom)
        used, wait = self.log.look(limit, counter.span, facts.now)
        return reading(used, wait if facts.halves < 2 else 0)

    def charge(self, counter: Unsent, facts: Facts) -> None:
        pass

    def take(self, counter: Unsent, facts: Facts) -> bool:
        full = self.look(counter, facts).full
        if not full:
            self.log.add(facts.now)
        return not full
