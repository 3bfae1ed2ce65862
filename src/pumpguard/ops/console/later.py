"""What takes too long to be waited for: computed aside, and shown when it is there."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Generic, TypeVar

T = TypeVar("T")

logger = logging.getLogger("pumpguard")


class Later(Generic[T]):
    """The last result of something slow, made anew in the background once it is ``fresh`` seconds
    old and somebody looks. It is never made twice at once."""

    def __init__(self, make: Callable[[], Awaitable[T]], fresh: float) -> None:
        self._make = make
        self._fresh = fresh
        self._made = -fresh
        self._task: asyncio.Task[None] | None = None
        self._result: T | None = None

    def look(self) -> T | None:
        """The last result, or ``None`` as long as there is none."""
        if monotonic() - self._made >= self._fresh:
            task, loop = self._task, asyncio.get_running_loop()
            if task is None or task.done() or task.get_loop() is not loop:
                self._task = loop.create_task(self._work())
        return self._result

    async def wait(self) -> T | None:
        """The same, when it has been made."""
        self.look()
        if self._task is not None:
            await asyncio.wait({self._task})
        return self._result

    async def _work(self) -> None:
        try:
            self._result = await self._make()
        except Exception:
            logger.exception("PG050 the console cannot tell")
        self._made = monotonic()
