"""Runs the script where its keys live: one trip, and a second only if the first has not run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from threading import Lock
from time import monotonic
from typing import Any
from weakref import WeakKeyDictionary, ref

from pumpguard.errors import StoreError
from pumpguard.store.transport.faults import Late, Unreachable
from pumpguard.store.transport.lane import Lane
from pumpguard.store.transport.multiplexer import Multiplexer
from pumpguard.store.transport.resp import FASTEST, Codec, Word
from pumpguard.store.transport.topology import Topology, topology_of


class Link:
    """The way to the server that owns the keys, for every event loop that uses it.

    ``where`` is a URL or a topology. One trip is the rule. There is a second one when the server
    says that the first did not run: it does not have the script, or not the keys. Whatever else
    happens is a `StoreError`, within ``deadline`` seconds; nothing that may have counted is sent
    again. After a fault that speaks against the server, the next call looks for the right one.
    ``on_use`` is called when an event loop begins to use it.
    """

    def __init__(
        self,
        where: str | Topology,
        *,
        deadline: float = 0.05,
        connect_deadline: float = 1.0,
        connections: int = 1,
        max_in_flight: int = 1000,
        codec: Codec = FASTEST,
        on_use: Callable[[], None] | None = None,
    ) -> None:
        self._topology = topology_of(where) if isinstance(where, str) else where
        self._on_use = on_use
        self._deadline = deadline
        self._make_line = partial(
            Multiplexer,
            deadline=deadline,
            connect_deadline=connect_deadline,
            connections=connections,
            max_in_flight=max_in_flight,
            codec=codec,
        )
        self._lanes: WeakKeyDictionary[asyncio.AbstractEventLoop, Lane] = WeakKeyDictionary()
        self._latest: tuple[ref[asyncio.AbstractEventLoop], Lane] | None = None
        self._lock = Lock()  # loops live in threads

    async def run(
        self, sha: str, script: str, keys: Sequence[bytes | str], args: Sequence[Word]
    ) -> Any:
        """The script's reply. All keys live in one slot. Raises `StoreError`."""
        lane = self._lane()
        until = monotonic() + self._deadline
        command = ("EVALSHA", sha, len(keys), *keys, *args)
        line = lane.line
        if line is not None:
            return await _trips(lane, line, command, script, until)
        async with _in_time(until, Unreachable):
            line = await lane.find(keys[0] if keys else "")
        async with _in_time(until, Late):
            return await _trips(lane, line, command, script, until)

    async def aclose(self) -> None:
        """Close this event loop's connections; the link may be used again."""
        loop = asyncio.get_running_loop()
        with self._lock:
            lane = self._lanes.pop(loop, None)
            self._latest = None
        if lane is not None:
            await lane.aclose()

    def _lane(self) -> Lane:
        loop = asyncio.get_running_loop()
        latest = self._latest
        if latest is not None and latest[0]() is loop:
            return latest[1]
        with self._lock:
            lane = self._lanes.get(loop)
            if lane is None:
                for other in list(self._lanes):  # a lane keeps its loop alive: let go of the dead
                    if other.is_closed():
                        del self._lanes[other]
                lane = self._lanes[loop] = Lane(self._topology, self._make_line)
                if self._on_use is not None:
                    self._on_use()
            self._latest = ref(loop), lane
        return lane


async def _trips(
    lane: Lane, line: Multiplexer, command: tuple[Word, ...], script: str, until: float
) -> Any:
    try:
        return await line.ask(command)
    except StoreError as fault:
        detour = lane.after(line, fault)
        if detour is None:
            raise
    line, asking = detour
    try:
        async with _in_time(until, Late):  # with its body: who owns the keys now may not have it
            return await line.ask(("EVAL", script, *command[2:]), asking)
    except StoreError as fault:
        lane.after(line, fault)
        raise


@asynccontextmanager
async def _in_time(until: float, otherwise: type[StoreError]) -> AsyncIterator[None]:
    """A timer for the ways that are rarely gone; the usual one is watched by the connection."""
    try:
        async with asyncio.timeout(until - monotonic()):
            yield
    except TimeoutError:
        raise otherwise("not within the deadline") from None
