"""An event loop in a thread of its own, for code of this process that has none."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextvars import Context
from queue import SimpleQueue
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


class Waiting:
    """A thread that waits for work in that loop, and meanwhile does what the work asks of it: what
    may block, and what has to be done in the caller's own thread."""

    def __init__(self) -> None:
        self._steps: SimpleQueue[Callable[[], None] | object | None] = SimpleQueue()

    def until(self, done: Future[Any]) -> Iterator[object]:
        """What the loop says meanwhile. In the thread that waits."""
        done.add_done_callback(lambda _: self._steps.put(None))
        while (step := self._steps.get()) is not None:
            if callable(step):
                step()
            else:
                yield step

    def say(self, what: object) -> None:
        """For the iteration over `until`. In the loop."""
        self._steps.put(what)

    async def call(self, function: Callable[[], T], context: Context | None = None) -> T:
        """Call this in the thread that waits. In the loop."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()

        def step() -> None:
            try:
                result = function() if context is None else context.run(function)
            except Exception as error:
                loop.call_soon_threadsafe(_settle, done, None, error)
            else:
                loop.call_soon_threadsafe(_settle, done, result, None)

        self._steps.put(step)
        return await done


def _settle(done: asyncio.Future[Any], result: Any, error: Exception | None) -> None:
    if done.done():  # nobody waits for it any more
        return
    if error is not None:
        done.set_exception(error)
    else:
        done.set_result(result)
