"""What a decision itself costs: a standing ban is found sooner than that nothing stands against."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections import deque

from pumpguard.decision import Action, Decision

KEPT = 128
LONGEST = 0.005
"""Seconds of difference that are made up for; more is no difference but a store in trouble."""


class Cost:
    """Makes a shadow's decision take what the decision takes that it looks like.

    Compared are the medians of recent ones, messages and resends for themselves, and what differs
    is waited for. To draw from the real ones would not do: what a busy moment costs both, it would
    cost the shadow twice.
    """

    def __init__(self) -> None:
        self._real = {action: deque[float](maxlen=KEPT) for action in (True, False)}
        self._shadow = {action: deque[float](maxlen=KEPT) for action in (True, False)}

    def learn(self, decision: Decision, begun: float) -> None:
        """Remember what one took that was no shadow, from a moment of `time.perf_counter` on."""
        if decision.allowed:
            self._real[True].append(time.perf_counter() - begun)
        elif decision.action is Action.THROTTLE and not decision.degraded:
            self._real[False].append(time.perf_counter() - begun)

    async def level(self, shown: Decision, begun: float) -> None:
        """Wait for what a shadow was too quick, if it shows as a message or as a limit."""
        if shown.action not in (Action.SHADOW, Action.THROTTLE):
            return
        sent = shown.action is Action.SHADOW
        self._shadow[sent].append(time.perf_counter() - begun)
        if not self._real[sent]:
            return
        owed = statistics.median(self._real[sent]) - statistics.median(self._shadow[sent])
        due = time.perf_counter() + min(owed, LONGEST)
        # Timers are a millisecond wide, and this is mostly less.
        while time.perf_counter() < due:
            await asyncio.sleep(0)
