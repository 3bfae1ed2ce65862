"""Whether verifications arrive at all."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import ClassVar

from pumpguard.counters.base import Counter, Segment, Turn
from pumpguard.decision import Action


@dataclass(frozen=True, slots=True)
class Pulse(Counter):
    """Whether verifications arrive at all: a CUSUM for a drop of their rate to nearly none.

    It is full while they do not, which is nobody's attack but the provider's (or the app's)
    outage: from ``2 × h`` nats until it is below ``h`` again. From ``h`` on, and before ``minimum``
    verifications were seen at all, no `Conversion` of the same question is full, and sends that
    mature count neither way. It never refuses.

    Its reading's ``detail`` is the verifications seen (at most 65,535) and the Unix time in ms at
    which the outage began (0 if there is none); the latter names the outage, for who tells each
    of them once.
    """

    rule: str
    by: str = "everything"
    h: float = 9.0
    minimum: int = 20
    action: Action = Action.ALLOW

    may_refuse: ClassVar[bool] = False
    turn: ClassVar[Turn] = Turn.FIRST
    told_of: ClassVar[frozenset[str]] = frozenset({"verified", "repeated"})

    def tail(self, segment: Segment) -> bytes:
        """Where the alarm is (milli-nats, 4), after how many verifications (4)."""
        return struct.pack(">II", round(1000 * self.h), self.minimum)
