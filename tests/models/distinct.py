"""Distinct values: the latest time of each."""

from __future__ import annotations

from pumpguard.counters import Distinct, Reading
from tests.models.base import Facts, Model, reading


class DistinctModel(Model[Distinct]):
    """When each value was seen last."""

    def __init__(self) -> None:
        self.seen: dict[str, int] = {}

    def look(self, counter: Distinct, facts: Facts) -> Reading:
        now = max([facts.now, *self.seen.values()])
        live = {value: at for value, at in self.seen.items() if at > now - counter.span}
        wait = 0
        if facts.member not in live and len(live) >= counter.limit:
            # Until there are fewer than the limit.
            wait = sorted(live.values())[-counter.limit] + counter.span - now
        return reading(len(live), wait)

    def charge(self, counter: Distinct, facts: Facts) -> None:
        self.seen[facts.member] = max([facts.now, *self.seen.values()])
