"""What a decision itself costs: a standing ban is found sooner than that nothing stands against."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections import deque

from pumpguard.decision import Action, Decision

KEPT = 64
STEP = 5e-6
LONGEST = 0.005
"""Seconds: by how much the wait changes with every shadow, and its most; more is no difference but
a store in trouble."""


class Side:
    """Messages, or resends: what real ones took, and what shadows have to wait for."""

    def __init__(self) -> None:
        self.real: deque[float] = deque(maxlen=KEPT)
        self.owed = 0.0


class Cost:
    """Makes a shadow's decision take what the decision takes that it looks like.

    The wait grows while more than half of the shadows are quicker than the median of real ones,
    and shrinks while more are slower, so that whatever waiting itself costs is in it. To draw each
    from the real ones would not do: a busy moment would cost the shadow twice.
    """

    def __init__(self) -> None:
        self._sent, self._resent = Side(), Side()

    def learn(self, decision: Decision, begun: float) -> None:
        """Remember what one took that was no shadow, from a moment of `time.perf_counter` on."""
        if decision.allowed:
            self._sent.real.append(time.perf_counter() - begun)
        elif decision.action is Action.THROTTLE and not decision.degraded:
            self._resent.real.append(time.perf_counter() - begun)

    async def level(self, shown: Decision, begun: float) -> None:
        """Wait for what a shadow was too quick, if it shows as a message or as a limit."""
        if shown.action not in (Action.SHADOW, Action.THROTTLE):
            return
        side = self._sent if shown.action is Action.SHADOW else self._resent
        if not side.real:
            return
        usual = statistics.median(side.real)
        due = time.perf_counter() + side.owed
        # Timers are a millisecond wide, and this is mostly less.
        while time.perf_counter() < due:  # noqa: ASYNC110 - no event would come sooner
            await asyncio.sleep(0)
        quick = time.perf_counter() - begun < usual
        side.owed = min(max(0.0, side.owed + (STEP if quick else -STEP)), LONGEST)
