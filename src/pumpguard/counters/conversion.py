"""Whether messages get verified: a CUSUM over matured sends.

A send and its verification take effect together, when the slice of time in which it was sent has
matured. Were each verification scored when it arrives, a busy subject's sum would be pressed to 0
by the quick ones, and then the failures of the same minute, that all mature at once, would raise an
alarm where half of everything converts.

What a verification is worth (invented codes and farms verify too):

- a fifth if it came within 3 seconds. People take 13.5 s in the median, bots 1 to 2 s.
- a fifth if the last 6 to 8 took about the same time (mean deviation below a tenth of the mean);
- divided by 1 + how many of the last 8 came from the same network, at most by 4, unless the
  subject itself is one network, session, account or device. A quarter is about neutral: a lecture
  hall that verifies behind one address proves little for its country, and nothing against it;
- a quarter if one of the last 8 numbers is within 10 of this one (blocks of 1,000: next to it).

One that is worth ``w`` takes ``w × ln(p0 / p1) - (1 - w) × ln((1 - p1) / (1 - p0))`` from the sum.
Below w = 0.22 that is negative: it speaks against its subject, nearly like a code that never came.

Measured with the defaults (p0 = 0.5, p1 = 0.05, h = 12.8): 20 matured sends without a verification
are an alarm. Of 12,000 healthy subjects at the worst rate that is still called healthy (50 %
verified, each send in a slice of its own) 1.7 % had a false alarm within 20,000 sends, and 1.7 to
1.9 % where chance makes numbers neighbours. At h = 12 it was 3.3 % (0.3 % at 10 sends per slice).

Sends that matured during an outage are dropped when the subject is next asked about. If nobody asks
before the outage is over, they count as failures.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import ClassVar

from pumpguard.attempt import PREFIX
from pumpguard.counters.base import OF_ONE_CLIENT, Reading, Segment, Timed
from pumpguard.decision import Action


@dataclass(frozen=True, slots=True)
class Conversion(Timed):
    """Whether the messages sent to a subject get verified, as a CUSUM over matured sends.

    Every send that is still unverified when it is old enough (the question's ``matures_after``, at
    most ``seconds``) adds ``ln((1 - p1) / (1 - p0))``, every verified one takes ``ln(p0 / p1)``
    times its worth away (see the top of this module), never below 0. At ``h`` nats, and at least
    ``minimum`` matured sends, it is full for ``refuse_for`` seconds and starts anew; not for
    customers (see `Known`).

    With ``probes`` it closes and opens by degrees. The first alarm asks for proof; requests that
    have it (``proved``) are counted on, from ``probes`` unverified ones below the next alarm. From
    the second alarm in a row on, proof buys nothing either, for ``refuse_for`` seconds and twice as
    long each time, up to ``longest``; then it is asked for as before (half-open). While it is, no
    more requests may wait for their verification than would be the next alarm. All of it is over
    once the sum has fallen to 0, or ``longest`` has passed without an alarm. Known numbers always
    pass, and so do addresses and sessions that have headroom (see `Trust`).

    Its reading's ``used`` is the sum in thousandths of a nat, its ``detail`` how many sends have
    matured and how many of them were verified (both halved from time to time).
    """

    rule: str
    by: str
    p0: float = 0.5
    p1: float = 0.05
    h: float = 12.8
    minimum: int = 20
    seconds: int = 600
    refuse_for: int = 1_800
    action: Action = Action.BLOCK
    probes: int = 0
    longest: int = 0
    proved: bool = False

    learnt: ClassVar[bool] = True
    told_of: ClassVar[frozenset[str]] = frozenset({"failed", "verified", "repeated"})

    @property
    def steps(self) -> tuple[int, int, int]:
        """What an unverified send adds, a verified one takes, and where the alarm is: milli-nats,
        by Wald's test of p0 against p1."""
        return (
            round(1000 * math.log((1 - self.p1) / (1 - self.p0))),
            round(1000 * math.log(self.p0 / self.p1)),
            round(1000 * self.h),
        )

    @property
    def tells_networks_apart(self) -> bool:
        """Whether many verifications from one network are remarkable for such a subject."""
        return OF_ONE_CLIENT.isdisjoint(self.by.split("+"))

    @property
    def near(self) -> int:
        """Two numbers this far apart are not near each other any more. In narrow blocks everybody
        is near somebody: there it takes the next number, and in blocks of 100 nothing is
        remarkable."""
        parts = self.by.split("+")
        digits = [int(by.removeprefix(PREFIX)) for by in parts if by.startswith(PREFIX)]
        smallest = min(digits, default=4)
        return 11 if smallest > 3 else 2 if smallest == 3 else 0

    def full_from(self, reading: Reading, price: int) -> int | None:
        return 0

    def tail(self, segment: Segment) -> bytes:
        """The steps (4 each), after how many sends there may be an alarm (4), for how long (ms, 6),
        whether networks tell apart (1), how far numbers are no longer near (1), probes (1), whether
        there is proof (1), for how long it is refused at most (ms, 6)."""
        steps = struct.pack(">IIII", *self.steps, self.minimum)
        steps += (self.refuse_for * 1000).to_bytes(6)
        bytewise = bytes([self.tells_networks_apart, self.near, self.probes, self.proved])
        return steps + bytewise + (self.longest * 1000).to_bytes(6)
