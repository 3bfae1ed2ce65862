"""Budgets: what was spent, and what was given back."""

from __future__ import annotations

from pumpguard.counters import Reading, Spend
from tests.models.base import Facts, Model, reading
from tests.models.window import Slices


class SpendModel(Model[Spend]):
    """One sum, whatever the limits that look at it."""

    def __init__(self) -> None:
        self.spent = Slices()

    def look(self, counter: Spend, facts: Facts) -> Reading:
        limit = counter.limit - counter.reserved + facts.open_of(counter.reserved)
        return reading(*self.spent.look(limit, counter.span, facts.now, facts.price))

    def charge(self, counter: Spend, facts: Facts) -> None:
        self.spent.add(counter.span, facts.now, facts.price)

    def tell(self, counter: Spend, facts: Facts) -> None:
        back = facts.price
        if facts.outcome != "failed":
            back = back * (1000 - counter.permille) // 1000 * facts.worth_of_clients // 1000
        if facts.refunded:
            self.spent.give_back(counter.span, facts.now, back, facts.sent_at)
