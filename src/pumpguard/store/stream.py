"""A capped stream of events that all processes of a fleet write to, in Redis or Valkey.

Writing and reading go over another connection than decisions: none waits behind them, and a server
that answers them late is not taken for one that is away.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import count, islice
from typing import TYPE_CHECKING, NamedTuple, Protocol

from pumpguard.store.scripts import Call, Word, script

if TYPE_CHECKING:
    from pumpguard.store.transport.link import Link

WITHIN = 2.0
"""Seconds for one writing or reading."""

AT_ONCE = 500
"""Events in one call: others' questions wait for it, for about a millisecond."""

SCRIPT = script("stream")


class Entry(NamedTuple):
    """An event in the stream. ``id`` is the server's, and grows."""

    id: str
    event: bytes


class EventStream(Protocol):
    """Keeps the last events of a fleet. Raises `StoreError` when it cannot answer in time."""

    async def append(self, events: Sequence[bytes], kept: int) -> None:
        """Add events at the end; about so many are kept."""

    async def last(self, count: int, before: str = "") -> list[Entry]:
        """So many events, the newest first; those in front of an id if one is given."""

    async def after(self, id: str, count: int) -> list[Entry]:
        """So many events that came after an id, the oldest first."""


class SharedStream:
    """In Redis or Valkey."""

    def __init__(self, link: Link, prefix: str) -> None:
        self._link, self._key = link, f"{prefix}events"

    async def append(self, events: Sequence[bytes], kept: int) -> None:
        for first in range(0, len(events), AT_ONCE):
            await self._run("a", kept, *events[first : first + AT_ONCE])

    async def last(self, count: int, before: str = "") -> list[Entry]:
        return _entries(await self._run("l", f"({before}" if before else "+", count))

    async def after(self, id: str, count: int) -> list[Entry]:
        return _entries(await self._run("r", f"({id}", count))

    async def _run(self, *words: Word) -> Sequence[tuple[bytes, Sequence[bytes]]]:
        found: Sequence[tuple[bytes, Sequence[bytes]]]
        found = await self._link.run(Call(SCRIPT, (self._key,), words))
        return found


class MemoryStream:
    """In this process, for it alone."""

    def __init__(self) -> None:
        self._entries: deque[tuple[int, bytes]] = deque()
        self._ids = count(1)

    async def append(self, events: Sequence[bytes], kept: int) -> None:
        self._entries.extend((next(self._ids), event) for event in events)
        while len(self._entries) > kept:
            self._entries.popleft()

    async def last(self, count: int, before: str = "") -> list[Entry]:
        newest = reversed(self._entries)
        older = (each for each in newest if not before or each[0] < int(before))
        return [Entry(str(id), event) for id, event in islice(older, count)]

    async def after(self, id: str, count: int) -> list[Entry]:
        newer = (each for each in self._entries if each[0] > int(id or 0))
        return [Entry(str(id), event) for id, event in islice(newer, count)]


def _entries(found: Sequence[tuple[bytes, Sequence[bytes]]]) -> list[Entry]:
    return [Entry(id.decode(), fields[1]) for id, fields in found]
