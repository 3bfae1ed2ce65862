"""What the whole fleet has seen: sums of the buckets of an hour and of a day."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from time import monotonic
from typing import Any

from pumpguard.decision import Action
from pumpguard.ops.events.fields import Event
from pumpguard.ops.fleet.lately import Notice, Said, newest, noticed, observed
from pumpguard.ops.fleet.period import Period
from pumpguard.store.fleet import HOUR, MINUTE, FleetStore, Speaker

MINUTES, HOURS = 60, 25
"""Buckets that are shown: the last hour, and a day up to an hour more."""

FRESH = 1.0
"""Seconds for which a look at the store serves everybody who asks this process."""

ANEW = 60.0
"""Seconds after which all buckets are read again, also those that have ended: a process that could
not reach the store tells late."""

OPEN = 3
"""Minutes that are read each time."""

LATELY = 50
"""Decisions, and alerts, that are shown."""

SPEAKS = 15.0
"""Seconds: a process whose last word is older does not speak."""


@dataclass(frozen=True)
class Process:
    """One that speaks, or did: how many seconds ago, since when, and how many it has decided."""

    id: str
    silent: float
    since: float = 0.0
    decided: int = 0
    said: Said = field(default_factory=dict, repr=False)

    @property
    def speaks(self) -> bool:
        return self.silent < SPEAKS


@dataclass
class FleetView:
    """The fleet as of one look; ``at`` is in Unix seconds. ``minutes`` and ``hours`` are by their
    start, oldest first."""

    at: float
    processes: list[Process]
    minutes: dict[int, Period]
    hours: dict[int, Period]

    @cached_property
    def hour(self) -> Period:
        return Period.total(self.minutes.values())

    @cached_property
    def day(self) -> Period:
        return Period.total(self.hours.values())

    @property
    def since(self) -> float:
        """When the day that is shown begins."""
        return min(self.hours, default=self.at)

    @property
    def speaking(self) -> list[Process]:
        return [each for each in self.processes if each.speaks]

    @property
    def oldest(self) -> float | None:
        """Seconds since the oldest last word of those that speak."""
        return max((each.silent for each in self.speaking), default=None)

    @cached_property
    def refused(self) -> list[Event]:
        """The last refusals, and what was asked for proof; the newest first."""
        return newest(self._said, "refused")[:LATELY]

    @cached_property
    def sent(self) -> list[Event]:
        """The last requests that were let through."""
        return newest(self._said, "sent")[:LATELY]

    @cached_property
    def alerts(self) -> list[Event]:
        """The last alerts, also of processes that have ended since."""
        return newest(self._said, "alerts")[:LATELY]

    @property
    def noticed(self) -> list[Notice]:
        """What the guards that speak have noticed of the app around them."""
        return noticed([each.said for each in self.speaking])

    @property
    def observed(self) -> list[tuple[str, int]]:
        """What the guards that speak have counted of it."""
        return observed([each.said for each in self.speaking])

    @property
    def _said(self) -> list[Said]:
        return [each.said for each in self.processes]

    def by_minute(self) -> list[tuple[int, Counter[Action]]]:
        """The decisions of each minute, oldest first."""
        return [
            (minute, Counter({a: seen.actions[str(a)].n for a in Action}))
            for minute, seen in self.minutes.items()
        ]

    def by_hour(self) -> list[tuple[int, Period]]:
        """Each hour, oldest first."""
        return [*self.hours.items()]


class FleetReader:
    """Reads the buckets, for everybody who asks this process at most once a second. ``clock`` gives
    Unix seconds."""

    def __init__(self, store: FleetStore, clock: Callable[[], float]) -> None:
        self._store, self._clock = store, clock
        self._minutes: dict[int, Period] = {}
        self._hours: dict[int, Period] = {}
        self._anew = self._read_at = -ANEW
        self._view: FleetView | None = None
        self._lock: tuple[asyncio.AbstractEventLoop, asyncio.Lock] | None = None

    async def look(self, max_age: float = FRESH) -> FleetView:
        """The fleet as it is, or was up to so many seconds ago. Raises `StoreError`."""
        loop = asyncio.get_running_loop()
        if self._lock is None or self._lock[0] is not loop:
            self._lock = loop, asyncio.Lock()
        async with self._lock[1]:
            if self._view is None or monotonic() - self._read_at >= max_age:
                self._view = await self._read()
                self._read_at = monotonic()
            return self._view

    async def _read(self) -> FleetView:
        now = self._clock()
        minutes = _last(now, MINUTE, MINUTES)
        hours = _last(now, HOUR, HOURS)
        anew = monotonic() - self._anew >= ANEW
        ask_minutes = [m for m in minutes if anew or m in minutes[-OPEN:] or m not in self._minutes]
        ask_hours = [h for h in hours if anew or h == hours[-1] or h not in self._hours]
        look = await self._store.look(ask_minutes, ask_hours)
        found = (Period.of([bucket]) for bucket in look.buckets)
        self._minutes |= {minute: next(found) for minute in ask_minutes}
        self._hours |= {hour: next(found) for hour in ask_hours}
        self._minutes = {minute: self._minutes[minute] for minute in minutes}
        self._hours = {hour: self._hours[hour] for hour in hours}
        if anew:
            self._anew = monotonic()
        processes = [_process(each) for each in look.speakers]
        processes.sort(key=lambda each: (each.silent > SPEAKS, each.id))
        return FleetView(now, processes, self._minutes, self._hours)


def _last(now: float, length: int, count: int) -> list[int]:
    """The starts of the last buckets of a length, oldest first."""
    this = int(now) // length * length
    return [this - length * ago for ago in range(count - 1, -1, -1)]


def _process(said: Speaker) -> Process:
    try:
        word: dict[str, Any] = json.loads(said.word)
        return Process(said.process, said.silent, float(word["since"]), int(word["n"]), word)
    except (ValueError, KeyError, TypeError):  # another release's
        return Process(said.process, said.silent)
