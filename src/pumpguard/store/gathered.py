"""Refusals that wait a moment, so that many are told to the store in one call."""

from __future__ import annotations

import asyncio
from collections import deque

from pumpguard.store.base import Answer, Refusal, Store
from pumpguard.turns import fail_in_turn

GATHERED = 0.1
"""Seconds from one call for refusals to the next; the first of a flood has its own, at once."""

AT_ONCE = 64
"""Refusals that are told in one call; more are told earlier. Such a call takes the server about
twice as long as a decision, and nobody else is served meanwhile."""


class Gathered:
    """Refusals of one shard, which wait in one event loop to be told together."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[tuple[Refusal, asyncio.Future[Answer | None]]] = []
        self._told_at = float("-inf")
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def add(self, refusal: Refusal) -> asyncio.Future[Answer | None]:
        """Raises in the future what telling it raises."""
        question, loop = refusal.question, asyncio.get_running_loop()
        if self._waiting:
            version = self._waiting[0][0].question.overrides_version
            if question.overrides_version != version:
                self.tell()
        answer: asyncio.Future[Answer | None] = loop.create_future()
        self._waiting.append((refusal, answer))
        if len(self._waiting) >= AT_ONCE or question.at is not None:  # simulated time stands still
            self.tell()
        elif self._timer is None:
            self._timer = loop.call_at(self._told_at + GATHERED, self.tell)
        return answer

    def tell(self) -> None:
        """Tell what waits, now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        loop = asyncio.get_running_loop()
        self._told_at = loop.time()
        task = loop.create_task(self._tell(waiting))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def done(self) -> None:
        """Tell what waits, and wait until it is told."""
        self.tell()
        if self._tasks:
            await asyncio.wait(set(self._tasks))

    async def _tell(self, waiting: list[tuple[Refusal, asyncio.Future[Answer | None]]]) -> None:
        try:
            answers = await self._store.refuse([refusal for refusal, _ in waiting])
        except Exception as error:
            fault = error
            fail_in_turn(deque((answer, lambda: fault) for _, answer in waiting))
        else:
            for (_, answer), said in zip(waiting, answers, strict=True):
                if not answer.done():
                    answer.set_result(said)
