"""Short words for running a script over links, alone and under load."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from hashlib import sha1
from typing import Any

import pytest

from pumpguard.errors import StoreError
from pumpguard.store.scripts import Call, Script
from pumpguard.store.transport.endpoint import Endpoint
from pumpguard.store.transport.link import Link
from tests.store.transport.fleet import Server
from tests.store.transport.stand_ins import Fake

SCRIPT = """
for _, key in ipairs(KEYS) do redis.call('INCR', key) end
return redis.call('GET', KEYS[1])
"""
READ = "return redis.call('GET', KEYS[1]) or 0"
DEADLINE = 0.1

MakeLink = Callable[..., Link]


def to_run(script: str, *keys: str) -> Call:
    return Call(Script(sha1(script.encode()).hexdigest(), script), keys, ())


async def count(link: Link, *keys: str) -> int:
    """Run the script: each key is one more, and the first is returned."""
    return int(await link.run(to_run(SCRIPT, *keys)))


async def fault_of(link: Link, *keys: str) -> StoreError:
    with pytest.raises(StoreError) as caught:
        await count(link, *(keys or ("k",)))
    return caught.value


class Somewhere:
    """A topology that is told where to send the next search, and counts searches."""

    def __init__(self, *places: Endpoint | StoreError) -> None:
        self.places = list(places)
        self.searches = 0
        self.gate: asyncio.Event | None = None

    async def locate(self, key: str | bytes) -> Endpoint:
        self.searches += 1
        if self.gate is not None:
            await self.gate.wait()
        place = self.places[min(self.searches, len(self.places)) - 1]
        if isinstance(place, StoreError):
            raise place
        return place


def at(server: Server | Fake) -> Endpoint:
    return Endpoint("127.0.0.1", server.port)


class Load:
    """Workers that call without pause; they note outcomes."""

    def __init__(self, link: Link, keys: Callable[[], tuple[str, ...]]) -> None:
        self.outcomes: Counter[str] = Counter()
        self._link = link
        self._keys = keys

    async def worker(self) -> None:
        while True:
            try:
                await count(self._link, *self._keys())
                self.outcomes["answered"] += 1
            except StoreError as fault:
                self.outcomes[type(fault).__name__] += 1
                await asyncio.sleep(0.005)

    @asynccontextmanager
    async def running(self, workers: int = 16) -> AsyncIterator[Load]:
        tasks = [asyncio.create_task(self.worker()) for _ in range(workers)]
        try:
            yield self
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert {type(end) for end in ended} == {asyncio.CancelledError}, ended

    async def more(self, calls: int = 50, outcome: str = "answered") -> None:
        """Wait until that many more calls are answered, or end otherwise."""
        goal = self.outcomes[outcome] + calls
        async with asyncio.timeout(20):
            while self.outcomes[outcome] < goal:  # noqa: ASYNC110 - the workers have no event
                await asyncio.sleep(0.01)


async def elsewhere(action: Callable[[], Any]) -> Any:
    """Something slow that is done to servers while the load goes on."""
    return await asyncio.get_running_loop().run_in_executor(None, action)
