"""Outcomes on their way to the store: queued by the app, told behind the reply."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from itertools import islice
from threading import Lock
from typing import TypeVar

from pumpguard.attempt import Attempt
from pumpguard.errors import StoreError
from pumpguard.loop_thread import LOOP
from pumpguard.observations.hearing import Misunderstood
from pumpguard.outcomes.telling import Failed, Flow, Listen, QueuedOutcome, Teller, Verified
from pumpguard.store.base import Settlement

A = TypeVar("A")
T = TypeVar("T")

BATCH = 16
"""Settlements that are told in one trip."""

TOGETHER = 64
"""Outcomes that are asked about at the same time: each takes a trip or two, in shared writes."""

CAPACITY = 10_000
"""Outcomes that wait at most; when the store is away for long, the oldest are lost."""

RETRY, LAST_TRIES = 0.25, 8
"""Seconds until a store that did not answer is told again, and how often when the process ends."""


class OutcomeQueue:
    """Outcomes that the store has not been told yet, in the order in which they came.

    They are queued at once, by whatever thread, and delivered by a task of the event loop, many at
    a time. While the store is away they are kept, and told when it is back. The same outcome is
    queued once. If an event loop ends first, as where each request has its own, the next one goes
    on. ``wakes``: for a thread that has none, a loop that runs elsewhere delivers.

    What is lost (a crash, too many, or a store that may have counted a verification and did not
    say so) makes the guard only stricter, and is said.
    """

    def __init__(self, teller: Teller, *, wakes: bool = False) -> None:
        self.lost = 0
        self._wakes, self._lock = wakes, Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.waiting: dict[object, QueuedOutcome] = {}
        self._taken: dict[object, QueuedOutcome] = {}
        self._settlements: list[Settlement] = []
        """What the outcomes that were asked about come to, and the store has not been told."""
        self.teller, self.delays = teller, teller.delays
        self._store, self._observations = teller.store, teller.observations
        self._task: asyncio.Task[None] | None = None
        self._pausing: tuple[asyncio.AbstractEventLoop, asyncio.TimerHandle] | None = None

    def __len__(self) -> int:
        return len(self.waiting) + len(self._taken) + len(self._settlements)

    def add(self, outcome: QueuedOutcome) -> None:
        """Queue an outcome."""
        key = _key(outcome)
        with self._lock:
            if key not in self.waiting:
                if len(self.waiting) >= CAPACITY:
                    del self.waiting[next(iter(self.waiting))]
                    self._lose("too many wait")
                self.waiting[key] = outcome
        self.deliver()

    def admitted(self, attempt: Attempt, flow: str | None, at: float | None) -> None:
        """A message went out, and the app knows its number by this flow."""
        if flow is not None:
            self.add(Flow(flow, attempt.phone, at))
        self._ask_around(attempt.at, at)

    def not_understood(self, what: Misunderstood, why: str, at: float | None) -> None:
        """A code was entered, and what became of it was not understood."""
        self._observations.hearing.not_understood(what, why)
        self._ask_around(time.time() if at is None else at, at)

    def _ask_around(self, now: float, at: float | None) -> None:
        """Ask the fleet whether anybody hears verifications, if this process has reason to."""
        if self._observations.hearing.asks(now):
            self.add(Listen(at))

    def deliver(self) -> None:
        """Start the task that empties the queue, unless it runs in this loop or another, or the
        store has not answered a moment ago."""
        try:
            here = asyncio.get_running_loop()
        except RuntimeError:  # no event loop here
            if self._wakes:
                loop = self._loop if self._loop and self._loop.is_running() else LOOP.loop
                loop.call_soon_threadsafe(self.deliver)
            return
        self._loop = here
        if not len(self) or (self._pausing is not None and self._pausing[0] is here):
            return
        task = self._task
        if task is not None and not task.done():
            loop = task.get_loop()
            if loop is here or loop.is_running():
                return
        self._task = here.create_task(self._empty())

    async def delivered(self, within: float | None = None, *, now: bool = False) -> None:
        """Wait until all that was queued has been told or lost, or until the store has not answered
        and it is kept; for so many seconds at most. ``now`` asks it again at once."""
        if now:
            self._end_pause()
        self.deliver()
        task = self._task
        if task is None or task.done():
            return
        loop = task.get_loop()
        if loop is asyncio.get_running_loop():
            await asyncio.wait({task}, timeout=within)
        elif loop.is_running():
            there = asyncio.run_coroutine_threadsafe(asyncio.wait({task}), loop)
            await asyncio.wait({asyncio.wrap_future(there)}, timeout=within)

    async def close(self) -> None:
        """Tell what waits, now or never."""
        for _ in range(LAST_TRIES):
            await self.delivered(now=True)
            if not len(self):
                break
            await asyncio.sleep(RETRY)
        self._end_pause()
        if self.lost or len(self):
            self.lost += len(self)
            self._observations.lost("the process ends", len(self), in_the_end=True)
        self.waiting, self._taken, self._settlements = {}, {}, []

    async def _empty(self) -> None:
        self._put_back(self._taken)  # what a loop that has ended since had taken
        while self.waiting or self._settlements:
            if not self._settlements:
                await self._ask()
            await self._tell()
            if self._taken or self._settlements:
                self._put_back(self._taken)
                self._pause()
                return

    def _pause(self) -> None:
        def again() -> None:
            self._pausing = None
            self.deliver()

        loop = asyncio.get_running_loop()
        self._pausing = loop, loop.call_later(RETRY, again)

    def _end_pause(self) -> None:
        if self._pausing is not None:
            self._pausing[1].cancel()
            self._pausing = None

    def _put_back(self, outcomes: dict[object, QueuedOutcome]) -> None:
        with self._lock:
            self.waiting = {**outcomes, **self.waiting}
        self._taken = {}

    async def _ask(self) -> None:
        """Take the next outcomes, and ask the store about them. Those that it did not answer stay
        taken: asking twice does no harm."""
        with self._lock:
            self._taken = taken = _together(self.waiting)
            for key in taken:
                del self.waiting[key]
        keys, outcomes = list(taken), list(taken.values())
        answers = await _each(self.teller.settlements, outcomes)
        for key, answer in zip(keys, answers, strict=True):
            if isinstance(answer, StoreError):
                continue
            del taken[key]
            if isinstance(answer, BaseException):
                self._failed(answer)
            else:
                self._settlements += answer

    async def _tell(self) -> None:
        """Tell the store what is to be told."""
        told = self._settlements
        batches = [told[first : first + BATCH] for first in range(0, len(told), BATCH)]
        self._settlements = [each for each in told if _may_be_told_twice(each)]
        answers = await _each(self._store.settle, batches)
        self._settlements = []
        for batch, answer in zip(batches, answers, strict=True):
            if isinstance(answer, StoreError):
                kept = [each for each in batch if answer.undone or _may_be_told_twice(each)]
                self._settlements += kept
                if len(kept) < len(batch):
                    self._lose(str(answer), len(batch) - len(kept))
            elif isinstance(answer, BaseException):
                self._failed(answer, len(batch))

    def _failed(self, error: BaseException, count: int = 1) -> None:
        name, notices = type(error).__name__, self._observations.notices
        text = "could not record a message outcome; it is lost"
        notices.say("PG023", name, text, level=logging.ERROR, exc_info=error)
        self._lose(name, count)

    def _lose(self, reason: str, count: int = 1) -> None:
        self.lost += count
        self._observations.lost(reason, count)


async def _each(
    call: Callable[[A], Awaitable[T]], arguments: Sequence[A]
) -> list[T | BaseException]:
    """The answers to calls that are made together, in their order, or what they raised."""
    if len(arguments) == 1:  # as mostly: then no task is needed
        try:
            return [await call(arguments[0])]
        except Exception as error:
            return [error]
    return await asyncio.gather(*map(call, arguments), return_exceptions=True)


def _together(waiting: dict[object, QueuedOutcome]) -> dict[object, QueuedOutcome]:
    """The next outcomes that may be asked about at the same time: a failed message is told after
    that, so one about the same number that comes later has to wait."""
    taken: dict[object, QueuedOutcome] = {}
    failed = set[str]()
    for key, outcome in islice(waiting.items(), TOGETHER):
        if isinstance(outcome, Failed):
            failed.add(outcome.ticket.attempt.phone.e164)
        elif isinstance(outcome, Verified) and failed:
            unknown = outcome.flow is not None
            if unknown or not failed.isdisjoint(phone.e164 for phone in outcome.phones):
                break
        taken[key] = outcome
    return taken


def _may_be_told_twice(settlement: Settlement) -> bool:
    """A failed message has a ticket, which is taken once. A verified one has none any more."""
    return settlement.outcome in ("failed", "unallocated")


def _key(outcome: QueuedOutcome) -> object:
    """The same for outcomes of which one says all."""
    match outcome:
        case Failed(ticket, at, became, _):
            return ticket.attempt.phone.e164, ticket.reservation, at, became
        case Verified(phones, at, flow, only_open):
            return tuple(phone.e164 for phone in phones), flow, at, only_open
        case Flow(flow, phone, at):
            return Flow, flow, phone.e164, at
    return Listen, outcome.at
