"""Work that starts at once and that no reply waits for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

MAX_TASKS = 1_000
"""Tasks that may run at once; more are not started."""

logger = logging.getLogger("pumpguard")


class BackgroundTasks:
    """Tasks, each in the event loop in which it was started."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> bool:
        """Start it if there are an event loop and room. Returns whether it was started."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # no event loop here
            loop = None
        if loop is None or len(self._tasks) >= MAX_TASKS:
            work.close()
            return False
        task = loop.create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    async def done(self) -> None:
        """Wait for all that was started in this event loop."""
        loop = asyncio.get_running_loop()
        while mine := [task for task in self._tasks if task.get_loop() is loop]:
            await asyncio.wait(mine)

    @staticmethod
    async def _guarded(work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception:
            logger.exception("PG043 background task failed; no request is affected")
