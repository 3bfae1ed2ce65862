"""A deadline that a busy event loop cannot use up.

Where many requests share a core, the event loop comes round every 100 ms or later. An answer may
lie in the socket all that time, and by the clock alone it is the server that looks late. So a
deadline is counted in slices, and a slice ends when the loop has come round: one turn of the loop
uses up one slice, however long the turn takes. While the loop is idle, that is time by the clock.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

SLICES = 8
"""Turns that every deadline lasts at least. Connecting to a server and asking it takes five."""

LONGEST_SLICE = 0.02
"""Seconds: a long deadline has more slices instead of longer ones."""


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
