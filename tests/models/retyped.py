"""Retyped: what a client owes for its last message, if that went to the same block."""

from __future__ import annotations

from pumpguard.counters import Reading, Retyped
from tests.models.base import Facts, Model, reading


class RetypedModel(Model[Retyped]):
    """The last message: where, when and for how much."""

    def __init__(self) -> None:
        self.last: tuple[str, int, int] | None = None

    def again(self, counter: Retyped, facts: Facts) -> bool:
        """Whether it went where this one goes; time does not run backwards."""
        if self.last is None:
            return False
        where, sent, _ = self.last
        return where == facts.member and max(facts.now, sent) < sent + counter.span

    def look(self, counter: Retyped, facts: Facts) -> Reading:
        facts.mistyped = self.last[2] if self.last and self.again(counter, facts) else 0
        return reading(facts.mistyped, 0)

    def charge(self, counter: Retyped, facts: Facts) -> None:
        price = 0 if self.again(counter, facts) else facts.price
        now = max(facts.now, self.last[1]) if self.last else facts.now
        self.last = facts.member, now, price
