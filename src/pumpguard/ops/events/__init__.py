"""One event per decision, outcome, order and alert, for whatever reads events (docs/events.md).

guard = Guard("policy.toml", "redis://…")
Events(guard, Stream(guard), File("events.jsonl"))
app.add_middleware(PumpGuardMiddleware, guard=guard)
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable

from pumpguard.alerts import Alert
from pumpguard.background import Later
from pumpguard.config import require
from pumpguard.guard import Guard
from pumpguard.listeners import Became, Change, Listener, Recorded
from pumpguard.ops.events.decisions import Addresses, Numbers
from pumpguard.ops.events.fields import Event, EventMaker
from pumpguard.ops.events.sinks import Batch, Call, File, Log, Output, Sink, Stream

__all__ = ["Call", "Event", "Events", "File", "Log", "Output", "Sink", "Stream"]

TICK = 1.0
"""Seconds for which events wait to be written together."""

CAPACITY = 10_000
"""Events that wait at most; more are dropped and counted."""

AT_ONCE = 50
"""Events that are made in one go, some 1 ms: then requests have their turn."""

PATIENCE = 5.0
"""Seconds that a sink has for a batch."""


class Events(Listener):
    """Writes events of what a guard does to sinks, in the background, once a second.

    A request only puts its decision into a queue. What finds no room, and what a sink does not
    take within five seconds, is dropped: ``dropped`` counts it, an event tells it, and the log says
    it once an hour (``PG110``).

    ``addresses`` says how ``source.ip`` is shown: ``"masked"`` to its /24 (IPv6: /48), ``"hashed"``
    with the policy's secret, or ``"whole"``. With ``numbers="clear"`` events hold the numbers too:
    for files of your own that decisions are to be replayed from bit for bit. Raises `PolicyError`.
    """

    name = "events"

    def __init__(
        self,
        guard: Guard,
        *sinks: Sink | Callable[[Event], object],
        addresses: Addresses = "masked",
        numbers: Numbers = "hashed",
        capacity: int = CAPACITY,
        tick: float = TICK,
    ) -> None:
        require(sinks, "events.sinks", "at least one sink", "none")
        known = addresses in ("masked", "hashed", "whole")
        require(known, "events.addresses", "masked, hashed or whole", addresses)
        require(numbers in ("hashed", "clear"), "events.numbers", "hashed or clear", numbers)
        require(capacity >= 1, "events.capacity", "at least 1", capacity)
        require(tick > 0, "events.tick", "seconds above 0", tick)
        self.dropped = 0
        self._untold = 0
        self._sinks = [each if isinstance(each, Sink) else Call(each) for each in sinks]
        self._maker = EventMaker(guard.policy, addresses, numbers)
        self._clock, self._notices = guard.overrides.now, guard.notices
        self._queue: deque[Recorded | Became | Change | Alert] = deque()
        self._capacity, self._writing = capacity, asyncio.Lock()
        self._later = Later(tick, self.flush)
        guard.listen(self)

    def decided(self, recorded: Recorded) -> None:
        self._add(recorded)

    def outcome(self, became: Became) -> None:
        self._add(became)

    def overridden(self, change: Change) -> None:
        self._add(change)

    def alerted(self, alert: Alert) -> None:
        self._add(alert)

    async def flush(self) -> None:
        """Write all that waits."""
        async with self._writing:
            while self._queue:
                await self._write([self._queue.popleft() for _ in range(len(self._queue))])

    async def aclose(self) -> None:
        await self._later.done()
        await self.flush()
        for sink in self._sinks:
            await sink.aclose()

    def _add(self, told: Recorded | Became | Change | Alert) -> None:
        if len(self._queue) >= self._capacity:
            self._drop(1, "too many wait")
            return
        self._queue.append(told)
        self._later.soon()  # without a loop it waits for one that is told in one, or for the end

    async def _write(self, told: list[Recorded | Became | Change | Alert]) -> None:
        lines: list[bytes] = []
        for i, each in enumerate(told, 1):
            try:
                lines.append(self._maker.line(each))
            except Exception as error:
                self._drop(1, type(error).__name__)
            if i % AT_ONCE == 0:
                await asyncio.sleep(0)
        if self._untold:
            lines.append(self._maker.dropped(self._untold, self._clock()))
            self._untold = 0
        batch = Batch(lines)
        for sink in self._sinks:
            try:
                async with asyncio.timeout(PATIENCE):
                    await sink.write(batch)
            except Exception as error:
                self._drop(len(lines), f"{sink.name}: {type(error).__name__}")

    def _drop(self, count: int, why: str) -> None:
        self.dropped += count
        self._untold += count
        text = "events are dropped (%s); so far %d by this process, no request is affected"
        self._notices.say("PG110", "events", text, why, self.dropped, level=logging.ERROR)
