"""What is done by turns of the event loop: deadlines that a busy one cannot use up; crowds and
faults that do not stop it.

Where many requests share a core, the event loop comes round every 100 ms or later. An answer may
lie in the socket all that time, and by the clock alone it is the server that looks late. So a
deadline is counted in slices, and a slice ends when the loop has come round: one turn of the loop
uses up one slice, however long the turn takes. While the loop is idle, that is time by the clock.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

E = TypeVar("E", bound=Exception)

SLICES = 8
"""Turns that every deadline lasts at least. Connecting to a server and asking it takes five."""

LONGEST_SLICE = 0.02
"""Seconds: a long deadline has more slices instead of longer ones."""

AT_ONCE = 8
"""Callers that are told of a fault in one turn. Each goes on to decide without the store, in up to
half a millisecond; if all did so in the same turn, the loop would stand still for as long."""

BEGUN = 16
"""Requests that are begun in one turn: some milliseconds of work, after which whoever else has
something to do in this loop comes by."""


def slices(seconds: float) -> tuple[int, float]:
    """How many slices a deadline has, and how long one is in seconds."""
    count = max(SLICES, round(seconds / LONGEST_SLICE))
    return count, max(0.0, seconds) / count


@asynccontextmanager
async def within(seconds: float) -> AsyncIterator[None]:
    """Like `asyncio.timeout`, counted in slices. Raises `TimeoutError`."""
    async with asyncio.timeout(None) as limit:
        countdown = _Countdown(seconds, limit)
        try:
            yield
        finally:
            countdown.timer.cancel()


class _Countdown:
    """Lets a limit come when all slices have passed."""

    def __init__(self, seconds: float, limit: asyncio.Timeout) -> None:
        self._limit = limit
        self._left, self._each = slices(seconds)
        self._loop = asyncio.get_running_loop()
        self.timer = self._loop.call_later(self._each, self._passed)

    def _passed(self) -> None:
        self._left -= 1
        if self._left:
            self.timer = self._loop.call_later(self._each, self._passed)
        else:
            self._limit.reschedule(self._loop.time())


class Pace:
    """`BEGUN` requests in one turn of the event loop; the others wait for the turns that follow,
    first come, first served.

    Whoever finds as many that have ``begun`` in this turn, or somebody ``waiting``, has to `wait`
    first. Then it is added to those; the first of a turn has the list cleared in the next one.
    """

    def __init__(self) -> None:
        self.begun: list[None] = []
        self.waiting: deque[asyncio.Future[None]] = deque()

    async def wait(self) -> None:
        """Wait for a turn."""
        loop = asyncio.get_running_loop()
        if not self.waiting:
            loop.call_soon(self._next)
        turn = loop.create_future()
        self.waiting.append(turn)
        await turn

    def _next(self) -> None:
        for _ in range(min(BEGUN, len(self.waiting))):
            turn = self.waiting.popleft()
            if not turn.done():  # its client is there
                turn.set_result(None)
        if self.waiting:
            asyncio.get_running_loop().call_soon(self._next)


def fail_in_turn(waiting: deque[tuple[asyncio.Future[Any], Callable[[], E]]]) -> None:
    """Fail these futures, the first first, a few a turn, each with an exception of its own."""
    for _ in range(min(AT_ONCE, len(waiting))):
        future, fault = waiting.popleft()
        if not future.done():  # its caller has gone: asyncio would log that nobody took it
            future.set_exception(fault())
    if waiting:
        asyncio.get_running_loop().call_soon(fail_in_turn, waiting)
