"""How much may be given back for messages that were not sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pumpguard.counters.base import Limited
from pumpguard.decision import Action


@dataclass(frozen=True, slots=True)
class Refunds(Limited):
    """At most ``limit`` µ$ are given back to budgets in any ``seconds``. For settlements only."""

    rule: str
    limit: int
    seconds: int = 3_600
    by: str = "everything"
    action: Action = Action.ALLOW

    may_refuse: ClassVar[bool] = False
    smallest_share: ClassVar[int] = 0
    told_of: ClassVar[frozenset[str]] = frozenset({"failed"})
    parts: ClassVar[tuple[str, ...]] = ("slices",)
