"""How often somebody who is paid per question may be asked."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

HOUR, DAY = 3_600, 86_400
HOURLY_DIVISOR = 6
"""An hour may ask a sixth of a day's questions, so that a flood does not leave the day blind."""


class Allowance:
    """At most ``per_day`` in any 24 hours, and a sixth of them in any hour."""

    def __init__(self, per_day: int, clock: Callable[[], float]) -> None:
        self._taken: deque[float] = deque(maxlen=per_day)
        self._per_day = per_day
        self._per_hour = max(1, per_day // HOURLY_DIVISOR)
        self._clock = clock

    def take(self) -> bool:
        """Take one, if there is one left."""
        now, taken = self._clock(), self._taken
        for most, seconds in ((self._per_hour, HOUR), (self._per_day, DAY)):
            if len(taken) >= most and now - taken[-most] < seconds:
                return False
        taken.append(now)
        return True
