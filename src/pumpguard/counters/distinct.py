"""How many different values: countries that one network asks for, numbers of one session."""

from __future__ import annotations

from dataclasses import dataclass

from pumpguard.counters.base import Limited
from pumpguard.decision import Action

DISTINCT_UP_TO = 24
"""The highest limit; each value costs 10 bytes, and a request reads them all."""


@dataclass(frozen=True, slots=True)
class Distinct(Limited):
    """At most ``limit`` different values of the dimension ``of`` in any ``seconds``."""

    rule: str
    by: str
    limit: int
    seconds: int
    of: str
    action: Action = Action.THROTTLE

    @property
    def member(self) -> str:
        return self.of
