"""How many other numbers near this one."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import ClassVar

from pumpguard.counters.base import Limited, Segment
from pumpguard.decision import Action

NEIGHBOURS_REMEMBERED = 24
"""The highest limit; each number costs 8 bytes, and a request reads them all."""


@dataclass(frozen=True, slots=True)
class Neighbours(Limited):
    """At most ``limit`` other numbers within ``distance`` of this one in any ``seconds``.

    Numbers are compared by their last four digits, so ``by`` is a block of 10,000: ``prefix:4``.
    """

    rule: str
    by: str
    limit: int
    seconds: int
    distance: int
    action: Action = Action.THROTTLE

    told_of: ClassVar[frozenset[str]] = frozenset({"failed"})

    def tail(self, segment: Segment) -> bytes:
        """The distance (2)."""
        return struct.pack(">H", self.distance)
