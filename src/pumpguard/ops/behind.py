"""Work behind the reply: begun at once, waited for by nobody but who closes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

MOST = 1_000
"""Pieces of work under way at once; more than that is forgotten."""

logger = logging.getLogger("pumpguard")


class Behind:
    """Tasks of whichever event loop they were begun in."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, work: Coroutine[Any, Any, None]) -> bool:
        """Begin it, if there is an event loop and room. Returns whether it was begun."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # no event loop here
            loop = None
        if loop is None or len(self._tasks) >= MOST:
            work.close()
            return False
        task = loop.create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    async def done(self) -> None:
        """Wait for what was begun in this event loop."""
        loop = asyncio.get_running_loop()
        while mine := [task for task in self._tasks if task.get_loop() is loop]:
            await asyncio.wait(mine)

    @staticmethod
    async def _guarded(work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception:
            logger.exception("PG043 something behind the reply failed")
