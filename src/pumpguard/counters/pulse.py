"""Whether verifications arrive at all, while messages go out.

Two CUSUMs for a drop to nearly none; an outage is what both of them find.

- By messages: each that is a minute old and unverified adds 0.69 nats, each verification takes
  4.6, as of a conversion of a half that falls to half a percent. It rises only while fewer than an
  eighth are verified. So nothing is missing while nobody asks for a code, and a launch, of which
  most verify, is none.
- By the clock: 0.99 times the verifications that are usual in the time, less 4.6 with each that
  comes, reckoned from 90 s before a message is a minute old and unanswered. What is usual is a
  moving average over half an hour with a rational decay, T / (T + dt), so that nobody is missed for
  long who does not come at night. So an attack whose messages are never verified is no outage while
  people's are.

More than five minutes between two messages count as five. Nothing is an outage within five minutes
of the first message without an answer: codes that come late come within three.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import ClassVar

from pumpguard.counters.base import Counter, Segment, Turn
from pumpguard.decision import Action


@dataclass(frozen=True, slots=True)
class Pulse(Counter):
    """Whether verifications come back for the messages that go out (see the top of this module).

    It is full while they do not, which is nobody's attack but the provider's (or the app's)
    outage: from ``2 × h`` nats until it is below ``h`` again. From ``h`` on, and before ``minimum``
    verifications were seen at all, no `Conversion` of the same question is full, and sends that
    mature count neither way. It never refuses.

    Its reading's ``detail`` is the verifications seen (at most 65,535) and the Unix time in ms at
    which the first message stayed without an answer (0 if there is no outage); the latter names the
    outage, for who tells each of them once.
    """

    rule: str
    by: str = "everything"
    h: float = 9.0
    minimum: int = 20
    action: Action = Action.ALLOW

    may_refuse: ClassVar[bool] = False
    turn: ClassVar[Turn] = Turn.FIRST
    told_of: ClassVar[frozenset[str]] = frozenset({"failed", "verified", "repeated"})

    @property
    def layout(self) -> str:
        return "by messages"

    def tail(self, segment: Segment) -> bytes:
        """Where the alarm is (milli-nats, 4), after how many verifications (4)."""
        return struct.pack(">II", round(1000 * self.h), self.minimum)
