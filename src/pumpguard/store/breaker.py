"""A circuit breaker: a few requests pay for an outage, and not all.

What asks a server that is away until it answers is in the way of no request: the event loop that
requests share may be so busy, in a flood, that each of its turns takes longer than a healthy server
needs to answer. So the question is asked in a thread, with an event loop and a connection of its
own.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Coroutine
from threading import Event, Thread
from time import perf_counter
from typing import Any, Literal, TypeAlias, TypeVar

from pumpguard.errors import StoreError
from pumpguard.notices import Notices

FAULTS = 5
"""Faults in a row that open the breaker, each of a call that was made after the fault before: a
hundred calls that were in flight when one connection broke are one fault."""

REFUSALS = 50
"""So many calls more that the server has refused than that it has answered open the breaker too: a
server that takes no writes still answers whatever needs none."""

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 0.5
"""Seconds between two questions at most; it doubles. Each process waits between half of it and all,
so that a fleet does not ask in step."""

T = TypeVar("T")

State: TypeAlias = Literal["closed", "open", "half-open"]

Watcher: TypeAlias = Callable[[float, StoreError | None], None]
"""Is told of a call: how many seconds it took, and how it failed if it did."""

logger = logging.getLogger("pumpguard.store")


class BreakerOpen(StoreError):
    """The server was not asked, because it has failed and has not been found usable since."""

    undone = True


class Probe:
    """Asks ``answers`` whether the server can be used, and calls ``found`` from its thread once it
    can."""

    def __init__(self, answers: Callable[[], Coroutine[Any, Any, bool]]) -> None:
        self._answers = answers
        self._stopped = Event()

    def begin(self, found: Callable[[], None]) -> None:
        """Ask until it answers. The last asking must have found something, or have been ended."""
        self._stopped = Event()
        thread = Thread(target=self._ask, args=(self._stopped, found), daemon=True)
        thread.start()

    def end(self) -> None:
        """Ask no more."""
        self._stopped.set()

    def _ask(self, stopped: Event, found: Callable[[], None]) -> None:
        pause = FIRST_PAUSE
        while not stopped.wait(random.uniform(0.5, 1) * pause):  # noqa: S311 - no secret
            pause = min(2 * pause, LONGEST_PAUSE)
            try:
                if asyncio.run(self._answers()):
                    found()
                    return
            except Exception:
                logger.exception(
                    "PG019 exception while asking whether the store can be used; asked again"
                )


class Breaker:
    """Opens after five faults in a row, and then asks the ``probe``.

    Closed: every call passes. Open: every call fails at once. Half-open, once the probe has found
    the server usable: calls pass again, the first fault opens it anew, and the first answer closes
    it. ``watchers`` are told of each call that passes.
    """

    def __init__(self, probe: Probe) -> None:
        self._probe = probe
        self.watchers: list[Watcher] = []
        self._notices, self._said_away = Notices(logger="pumpguard.store"), False
        self._state: State = "closed"
        self._in_a_row = self._refused = 0
        self._faults = 0  # ever

    @property
    def state(self) -> State:
        return self._state

    async def run(self, call: Callable[..., Awaitable[T]], *args: Any) -> T:
        """Make a call, or raise `StoreError` at once."""
        faults = self._faults
        if self._state == "open":
            raise BreakerOpen("the circuit breaker is open")
        began = perf_counter()
        try:
            answer = await call(*args)
        except StoreError as error:
            self._refused += error.refused
            if faults == self._faults:  # else it may be the same one
                self._failed(error)
            for told in self.watchers:
                told(perf_counter() - began, error)
            raise
        for told in self.watchers:
            told(perf_counter() - began, None)
        if self._in_a_row or self._refused:
            self._answered()
        return answer

    def close(self) -> None:
        """Ask no more, and begin anew with the next call."""
        self._probe.end()
        self._in_a_row, self._refused, self._state = 0, 0, "closed"

    def _failed(self, error: StoreError) -> None:
        self._faults += 1
        self._in_a_row += 1
        few = self._in_a_row < FAULTS and self._refused < REFUSALS
        if self._state == "open" or (self._state == "closed" and few):
            return
        text = "store failed %d times; on_store_failure decides now. The last: %s"
        times = max(self._in_a_row, self._refused)
        if self._notices.say("PG010", "", text, times, error, level=logging.ERROR):
            self._said_away = True
        self._state = "open"
        self._probe.begin(self._found)

    def _found(self) -> None:
        """The probe's thread calls this."""
        if self._state == "open":
            self._state = "half-open"

    def _answered(self) -> None:
        self._refused = max(0, self._refused - 1)
        if self._state == "half-open":
            self._state, self._refused = "closed", 0
            text = "store reachable again; decisions use it as before"
            if self._said_away and self._notices.say("PG011", "", text):
                self._said_away = False
        if self._state == "closed":
            self._in_a_row = 0
