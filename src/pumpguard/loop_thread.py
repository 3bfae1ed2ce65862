"""An event loop in a thread of its own, for code of this process that has none."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine
from concurrent.futures import Future
from threading import Lock, Thread
from typing import Any, TypeVar

T = TypeVar("T")


class LoopThread:
    """Starts when it is first needed, and once in each process: a server that forks its workers
    after the app was imported has one in each of them."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._of_parent: list[asyncio.AbstractEventLoop | None] = []
        os.register_at_fork(after_in_child=self._forked)

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                name = "pumpguard event loop"
                Thread(target=self._loop.run_forever, name=name, daemon=True).start()
            return self._loop

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Start this in it. The context variables are those of the caller."""
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    def _forked(self) -> None:
        # Its thread is the parent's. Kept, because a loop that is thrown away unclosed warns.
        self._of_parent.append(self._loop)
        self._lock, self._loop = Lock(), None


LOOP = LoopThread()
"""That of this process."""
