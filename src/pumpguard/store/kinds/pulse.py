"""Whether verifications arrive at all: a CUSUM for a drop of their rate. Twin: ``pulse.lua``.

For Poisson arrivals whose rate may fall from r to r / 100, the log likelihood grows by 0.99 × r ×
dt while nothing arrives and falls by ln 100 with each arrival. So the sum rises only while fewer
than 0.99 / ln 100 = 21 % of the usual arrive: a decline such as every evening brings is none.

Two thresholds, because freezing conversion costs nothing and calling an outage costs attention. At
``h`` = 9, after 9.1 missing verifications, conversion freezes: where half converts that is before
silence alone could have raised its alarm (9.1 × 2 sends × 0.64 = 11.7 of 12.8 nats). It happens
once in some 8,000 (e^9) verifications for no reason, and ends with the next few. At 2 ``h`` it is
an outage. Simulated over days with a night and an evening rush, an outage was seen where there was
none 14, 1 and 0 times in 100 days at 100, 1,000 and 4,000 verifications a day; half an hour of
silence at 14:00 was seen after 15 to 24 minutes at 1,000 a day, 5 at 4,000, not at all at 100.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from pumpguard.counters import Pulse
from pumpguard.store.base import DAY

HALF_AN_HOUR = 1_800_000
ONE = 4605
GROWTH = 1_818_182
"""What divides average × ms to make milli-nats: half an hour / 0.99."""
HIGHEST_AVERAGE = 2_000_000_000
FORGOTTEN = 7 * DAY * 1000
LARGEST = 65_535


class Kept(NamedTuple):
    """Verifications seen, their average in half an hour (thousandths), the last one's time, the
    sum then (milli-nats), and since when there is an outage."""

    seen: int
    average: int
    last: int
    sum: int
    began: int


@dataclass(slots=True)
class PulseLook:
    """The pulse at one moment."""

    now: int
    used: int
    wait: int
    alarm: int
    kept: Kept
    began: int
    silent: bool

    @property
    def detail(self) -> tuple[int, int]:
        """Verifications seen, and since when there is an outage."""
        return self.kept.seen, self.began

    def charged(self) -> None:
        """A request is no verification."""

    def verified(self) -> tuple[Kept, int]:
        """A verification has arrived."""
        seen, average, last, _, _ = self.kept
        decayed = average * HALF_AN_HOUR // (HALF_AN_HOUR + self.now - last)
        left = max(0, self.used - ONE)
        kept = Kept(
            min(LARGEST, seen + 1),
            min(HIGHEST_AVERAGE, decayed + 1000),
            self.now,
            left,
            self.began if left >= self.alarm else 0,
        )
        return kept, self.now + FORGOTTEN


def look(counter: Pulse, stored: Kept | None, now: int) -> PulseLook:
    """Read the pulse."""
    if stored is None or now - stored.last > FORGOTTEN:
        stored = Kept(0, 0, now, 0, 0)
    now, alarm = max(now, stored.last), round(1000 * counter.h)
    # In floats, as Lua does it.
    rate = max(0, stored.average - 1000)
    growth = math.floor(float(rate) * (now - stored.last) / GROWTH)
    grown = min(2 * alarm, stored.sum + growth)
    founded = stored.seen >= counter.minimum
    outage = founded and grown >= (alarm if stored.began else 2 * alarm)
    began = stored.began if outage else 0
    if outage and not began:
        lacking = float(max(0, 2 * alarm - stored.sum))
        began = stored.last + math.ceil(lacking * GROWTH / max(1, rate))
    silent = not founded or grown >= alarm
    return PulseLook(now, grown, 1000 if outage else 0, alarm, stored, began, silent)
