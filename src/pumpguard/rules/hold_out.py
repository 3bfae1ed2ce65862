"""A hold-out: of what would be refused, a sliver is let through, so that the share of customers
among it is measured instead of guessed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from pumpguard.attempt import Attempt, micros
from pumpguard.config import check, require
from pumpguard.counters import Reading, Spend
from pumpguard.decision import Finding
from pumpguard.rules import Budget, Number, Rule
from pumpguard.rules.assembly import in_monitor
from pumpguard.rules.budget import DAY

RULE = "hold_out"
"""What the rule that bounds it is called."""

HELD_OUT = "held_out"
"""Why a decision of a hold-out allows (`pumpguard.decision.Decision.allowed_because`)."""

BINDING = (Budget, Number)
"""The rules that hold for it too: caps on money, and numbers that nobody has or that cost more than
any price list says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldOut:
    """Lets the refused messages to a ``share`` of all numbers through, for at most ``day`` USD in
    any 24 hours, by price.

    Which numbers these are is drawn anew each day (UTC), so that coming again draws no second time.
    Let through is what rules refuse, shadows included; never what an override or a posture, a
    budget or the kind of the number refuses, and nothing while the store is away.
    """

    share: float
    day: float

    def __post_init__(self) -> None:
        check(self, RULE)
        require(0 < self.share <= 1, f"{RULE}.share", "a share above 0, up to 1", self.share)
        expected = "USD a day above 0, below 1,000,000"
        require(0 < self.day < 1e6, f"{RULE}.day", expected, self.day)

    def rules(self, chain: Sequence[Rule], use: str) -> list[Rule]:
        """The chain as it decides about what is held out: judged and counted, not enforced."""
        names = {rule.name for rule in chain if not isinstance(rule, BINDING)}
        cap = HoldOutCap(name=f"{use}.{RULE}" if use else RULE, day=self.day)
        return [*in_monitor(chain, names), cap]


class HoldOutCap(Rule):
    """At most ``day`` USD in any 24 hours for what is held out."""

    day: float

    @cached_property
    def _spends(self) -> tuple[Spend, ...]:
        return (Spend(self.name, "everything", micros(self.day), DAY),)

    def counters(self, attempt: Attempt) -> Sequence[Spend]:
        return self._spends

    declares_by = ()
    needs_outcomes = True

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding:
        return self.finding("HOLD_OUT_SPENT", retry_after=readings[0].wait)
