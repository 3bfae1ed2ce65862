"""The same hook twice is one message, and is answered as the first time, by any process."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from hashlib import blake2b
from math import ceil

from pumpguard.errors import StoreError
from pumpguard.guard import Guard
from pumpguard.replies import UNAVAILABLE
from pumpguard.serve.hooks.kinds import Outcome

LOOKED, PAUSE = 15, 0.2
"""How often, and how many seconds apart, another process's outcome is looked for."""


class Once:
    """Remembers in the guard's store what came of a hook, and here while it is on its way."""

    def __init__(self, guard: Guard) -> None:
        self._store = guard.store
        self._now = guard.overrides.now if guard.simulated else None
        self._running: dict[str, asyncio.Future[Outcome]] = {}
        self._kept: set[str] = set()

    async def outcome(
        self, name: bytes, seconds: int, send: Callable[[], Awaitable[Outcome]]
    ) -> Outcome:
        """That of ``send``, which is called once for this name in so many seconds. Raises
        `IntakeError` (503) where another process has begun it and its outcome is not known."""
        key = "hook " + blake2b(name, digest_size=16).hexdigest()
        running = self._running.get(key)
        if running is not None:
            return await asyncio.shield(running)
        task = asyncio.ensure_future(self._first(key, seconds, send))
        self._running[key] = task
        task.add_done_callback(lambda _: self._done(key, seconds))
        return await asyncio.shield(task)  # the server may hang up: the message goes out, or not

    async def _first(
        self, key: str, seconds: int, send: Callable[[], Awaitable[Outcome]]
    ) -> Outcome:
        try:
            first = await self._store.overrides.claim(key, seconds)
        except StoreError:
            first = True  # the guard says what happens without its store
            self._kept.add(key)
        if not first:
            return await self._others(key)
        outcome = await send()
        wait = ceil(outcome.retry_after or 0)
        text = f"{outcome.word} {wait} {outcome.reference}"  # a short one: at most 32
        try:
            await self._store.remember(key, text, seconds, self._at())
        except StoreError:
            self._kept.add(key)
        return outcome

    def _done(self, key: str, seconds: int) -> None:
        """Forget it here, where the store knows of it; else only when its time is over: a server
        tries again just when the store has been slow."""
        if key not in self._kept:
            self._running.pop(key, None)
            return
        self._kept.discard(key)
        asyncio.get_running_loop().call_later(seconds, self._running.pop, key, None)

    async def _others(self, key: str) -> Outcome:
        for _ in range(LOOKED):
            try:
                found = await self._store.recall(key, self._at())
            except StoreError:
                break
            if found is not None:
                word, wait, *reference = found.split()
                return Outcome(word, int(wait) or None, "".join(reference))
            await asyncio.sleep(PAUSE)
        raise UNAVAILABLE

    def _at(self) -> float | None:
        return None if self._now is None else self._now()
