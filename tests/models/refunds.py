"""Refunds: what may be given back."""

from __future__ import annotations

from pumpguard.counters import Refunds
from tests.models.base import Facts, Model
from tests.models.window import Slices


class RefundsModel(Model[Refunds]):
    """What was given back."""

    def __init__(self) -> None:
        self.given = Slices()

    def weigh(self, counter: Refunds, facts: Facts) -> None:
        _, wait = self.given.look(counter.limit, counter.span, facts.now, facts.price)
        facts.refunded = not wait
        if not wait:
            self.given.add(counter.span, facts.now, facts.price)
