"""Budgets of dollars. Money is in whole micro-dollars (µ$)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from pumpguard.counters.base import Limited, Reading, Segment
from pumpguard.decision import Action


@dataclass(frozen=True, slots=True)
class Spend(Limited):
    """At most ``limit`` µ$ in any ``seconds``, by the price of what is let through. What was
    verified counts only ``verified`` times its price from then on.

    ``reserved`` µ$ of them are kept for customers, half of them for known numbers too (see
    `Known`): anybody else is let through up to ``limit - reserved``. Several with the same rule,
    ``by`` and ``seconds`` are one sum looked at with several limits, such as a share at which to
    ask for proof and the whole; declare all of them at once, or one instead of the other. A sum in
    which verified messages count less is another one, whatever they count.

    Its reading's ``used`` is in µ$, its ``wait`` until the price of this message fits.
    """

    rule: str
    by: str
    limit: int
    seconds: int
    reserved: int = 0
    action: Action = Action.THROTTLE
    verified: float = 1.0

    told_of: ClassVar[frozenset[str]] = frozenset({"failed", "verified", "repeated"})
    shared: ClassVar[bool] = True
    parts: ClassVar[tuple[str, ...]] = ("slices",)

    @property
    def permille(self) -> int:
        """What a verified message counts, in thousandths of its price."""
        return round(1000 * self.verified)

    @property
    def layout(self) -> str:
        return "verified less" if self.permille < 1000 else ""

    def hears(self, outcome: str) -> bool:
        return outcome == "failed" or (self.permille < 1000 and outcome in self.told_of)

    def full_from(self, reading: Reading, price: int) -> int | None:
        return price

    def tail(self, segment: Segment) -> bytes:
        """What is reserved (6), and what a verified message counts (permille, 2)."""
        return self.reserved.to_bytes(6) + self.permille.to_bytes(2)

    def divided(self, parts: int) -> Spend:
        reserved = -(-self.reserved // parts)  # rounded up, the limit down
        return replace(self, limit=self.limit // parts, reserved=reserved)
