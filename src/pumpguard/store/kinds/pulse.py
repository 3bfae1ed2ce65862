"""Whether verifications arrive at all: a CUSUM for a drop of their rate. Twin: ``pulse.lua``.

For Poisson arrivals whose rate may fall from r to r / 10, the log likelihood grows by 0.9 × r × dt
while nothing arrives and falls by ln 10 with each arrival.

Two thresholds, because freezing conversion costs nothing and calling an outage costs attention. At
``h`` = 7, after 7.8 missing verifications, conversion freezes: where half converts that is before
silence alone could have raised its alarm (7.8 × 2 sends × 0.64 = 10 of 12.8 nats). It happens once
in some 1,100 (e^7) verifications for no reason, and ends with the next few. At 2 ``h`` it is an
outage.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from pumpguard.counters import Pulse
from pumpguard.store.base import DAY

HALF_AN_HOUR = 1_800_000
ONE = 2303
GROWTH = 2_000_000
"""What divides average × ms to make milli-nats: half an hour / 0.9."""
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
    growth = math.floor(float(stored.average) * (now - stored.last) / GROWTH)
    grown = min(2 * alarm, stored.sum + growth)
    founded = stored.seen >= counter.minimum
    outage = founded and grown >= (alarm if stored.began else 2 * alarm)
    began = stored.began if outage else 0
    if outage and not began:
        lacking = float(max(0, 2 * alarm - stored.sum))
        began = stored.last + math.ceil(lacking * GROWTH / max(1, stored.average))
    silent = not founded or grown >= alarm
    return PulseLook(now, grown, 1000 if outage else 0, alarm, stored, began, silent)
