"""Work that starts at once and that no reply waits for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any

MAX_TASKS = 1_000
"""Tasks that may run at once; more are not started."""

logger = logging.getLogger("pumpguard")


class BackgroundTasks:
    """Tasks, each in the event loop in which it was started."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, object]) -> bool:
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
    async def _guarded(work: Coroutine[Any, Any, object]) -> None:
        try:
            await work
        except Exception:
            logger.exception("PG043 background task failed; no request is affected")


class Later:
    """Work for what gathers: ``work`` begins so many seconds after the first call of `soon`, in the
    event loop that runs then, and in no request's context. Then `soon` may be called anew."""

    def __init__(self, seconds: float, work: Callable[[], Coroutine[Any, Any, object]]) -> None:
        self._seconds, self._work = seconds, work
        self._timer: tuple[asyncio.AbstractEventLoop, asyncio.TimerHandle] | None = None
        self._tasks = BackgroundTasks()

    def soon(self) -> bool:
        """See to it that the work begins. Returns whether it will; not so without an event
        loop."""
        if self._timer is None or self._timer[0].is_closed():
            try:
                loop = asyncio.get_running_loop()
            except RuntimeError:
                return False
            self._timer = loop, loop.call_later(self._seconds, self._due, context=Context())
        return True

    def now(self) -> None:
        """Begin the work at once, whatever is planned."""
        self._tasks.start(self._work())

    async def done(self) -> None:
        """Wait for the work that has begun in this event loop; none begins later."""
        if self._timer is not None:
            self._timer[1].cancel()
            self._timer = None
        await self._tasks.done()

    def _due(self) -> None:
        self._timer = None
        self.now()
