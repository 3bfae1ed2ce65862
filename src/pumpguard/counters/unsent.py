"""Attempts that sent nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pumpguard.counters.base import Limited, Reading, Segment
from pumpguard.decision import Action


@dataclass(frozen=True, slots=True)
class Unsent(Limited):
    """At most ``limit`` attempts of a subject that were let through and sent nothing, in any
    ``seconds``; as many give back what their messages were charged.

    Headroom is added as in a `Window`; ``limit × max_factor`` is at most 512. Customers (see
    `Known`) are not refused for what others did where they are.
    """

    rule: str
    by: str
    limit: int
    seconds: int = 3_600
    action: Action = Action.CHALLENGE
    max_factor: int = 1

    told_of: ClassVar[frozenset[str]] = frozenset({"failed"})
    learnt: ClassVar[bool] = True
    parts: ClassVar[tuple[str, ...]] = ("log",)

    def full_from(self, reading: Reading, price: int) -> int | None:
        return 0

    def tail(self, segment: Segment) -> bytes:
        """Up to how many times its limit (1)."""
        return bytes([self.max_factor])
