"""Whether more messages than usual go to numbers that nobody has. Twin: ``unallocated.lua``.

Who draws digits at random hits numbers that are in the plan and that no operator has given to
anybody. It is told by the operator, of messages that were sent and paid for, so that a request that
is refused cannot raise a suspicion: it costs nothing. The Poisson CUSUM of rejections per message,
between the share p0 that was learned of the country and ``p1 = 4 p0``: a message takes ``p1 - p0``
from the sum, a rejection adds ``ln(p1 / p0)``. More messages at the same share, such as those of a
promotion, change nothing. The share is shrunk to 2 % by 100 messages and never believed to be below
half a percent (both assumptions: nobody publishes it); while the sum is above half an alarm, or one
lasts, nothing is learned. The first 100 messages of all teach only.

An attacker can make a country ask strangers for proof, for ``hold`` seconds, by having messages
sent to such numbers, at least nine of them more than usual, each within every other limit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from pumpguard.counters import Unallocated
from pumpguard.store.kinds.exact import ln

LEARNED, FADE = 100, 4096
"""Messages that have to be known before any share is unusual; so many, and both sums are halved."""

PRIOR_SENT, PRIOR_REJECTED = 100, 2
LOWEST, TIMES, MOST = 0.005, 4, 0.9
"""The lowest share believed; how many times the usual one is looked for, and up to where."""

DAY, REMEMBERED = 86_400_000, 15
"""Milliseconds; days without a message."""

HIGHEST = 2**32 - 1


class Kept(NamedTuple):
    """The day of the last message, until when the alarm lasts, the sum (thousandths of a nat),
    messages, and those rejected."""

    day: int
    till: int
    total: int
    sent: int
    rejected: int


@dataclass(slots=True)
class UnallocatedLook:
    """A country as one request, or one rejection, sees it."""

    counter: Unallocated
    now: int
    kept: Kept
    known: bool

    @property
    def used(self) -> int:
        """The sum in thousandths of a nat; during an alarm, that with which it began."""
        return self.kept.total

    @property
    def detail(self) -> tuple[int, int]:
        """Messages, and those rejected."""
        return self.kept.sent, self.kept.rejected

    @property
    def wait(self) -> int:
        """While the alarm lasts; not for known numbers."""
        return 0 if self.known else max(0, self.kept.till - self.now)

    @property
    def _calm(self) -> bool:
        return not self.kept.till and 2 * self.kept.total < round(1000 * self.counter.h)

    def charged(self) -> tuple[Kept, int] | None:
        """One message more."""
        kept = self.kept
        if kept.till:
            return None
        usual, looked_for = shares(kept)
        total = max(0, kept.total - math.floor(1000 * (looked_for - usual)))
        sent, rejected = kept.sent + self._calm, kept.rejected
        if sent >= FADE:
            sent, rejected = sent // 2, rejected // 2
        return self._kept(0, total, sent, rejected)

    def rejected(self) -> tuple[Kept, int] | None:
        """A message was rejected; an alarm may begin."""
        kept, till, total = self.kept, 0, 0
        if kept.till:
            return None
        if kept.sent >= LEARNED:
            usual, looked_for = shares(kept)
            total = min(HIGHEST, kept.total + math.floor(1000 * ln(looked_for / usual)))
            if total >= round(1000 * self.counter.h):
                till = self.now + self.counter.hold * 1000
        rejected = min(kept.sent, kept.rejected + self._calm)
        return self._kept(till, total, kept.sent, rejected)

    def _kept(self, till: int, total: int, sent: int, rejected: int) -> tuple[Kept, int]:
        day = self.kept.day
        return Kept(day, till, total, sent, rejected), (day + REMEMBERED) * DAY


def shares(kept: Kept) -> tuple[float, float]:
    """The share of rejected messages that is usual, and the one looked for."""
    usual = max(LOWEST, (kept.rejected + PRIOR_REJECTED) / (kept.sent + PRIOR_SENT))
    return usual, max(usual, min(MOST, TIMES * usual))


def look(counter: Unallocated, known: bool, stored: Kept | None, now: int) -> UnallocatedLook:
    """Read a country's rejections."""
    today = now // DAY
    kept = stored or Kept(today, 0, 0, 0, 0)
    if 0 < kept.till <= now:
        kept = kept._replace(till=0, total=0)
    return UnallocatedLook(counter, now, kept._replace(day=max(today, kept.day)), known)
