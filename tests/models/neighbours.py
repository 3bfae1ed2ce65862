"""Neighbours: which numbers, and when."""

from __future__ import annotations

from pumpguard.counters import NEIGHBOURS_REMEMBERED, Neighbours, Reading
from tests.models.base import Facts, Model, reading


class NeighboursModel(Model[Neighbours]):
    """The last 24 messages: when, and to which last four digits."""

    def __init__(self) -> None:
        self.sent: list[tuple[int, int]] = []

    def look(self, counter: Neighbours, facts: Facts) -> Reading:
        now = max([facts.now, *(at for at, _ in self.sent)])
        near = {
            other: at  # the latest
            for at, other in self.sent
            if at > now - counter.span and 0 < abs(other - facts.last4) <= counter.distance
        }
        wait = 0
        if len(near) >= counter.limit and facts.halves < 2:
            wait = sorted(near.values())[-counter.limit] + counter.span - now
        return reading(len(near), wait)

    def charge(self, counter: Neighbours, facts: Facts) -> None:
        now = max([facts.now, *(at for at, _ in self.sent)])
        live = [(at, other) for at, other in self.sent if at > now - counter.span]
        self.sent = [*live, (now, facts.last4)][-NEIGHBOURS_REMEMBERED:]

    def tell(self, counter: Neighbours, facts: Facts) -> None:
        """One that was not sent is none, unless older ones may be forgotten for it."""
        hit = (facts.sent_at, facts.last4)
        full = len(self.sent) >= NEIGHBOURS_REMEMBERED
        if facts.outcome == "failed" and hit in self.sent and not full:
            self.sent.remove(hit)
