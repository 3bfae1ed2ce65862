"""Whose message a provider's id is, and what has been told of it: kept in the guard's store."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, replace
from weakref import WeakValueDictionary

from pumpguard.errors import StoreError
from pumpguard.guard import Guard

MAX_KNOWN = 10_000
"""Messages that a process knows by itself, for as long as the store does not know them yet."""

LEASE = 60
"""Seconds for which a process may be at a receipt: then it has died, and another may take it."""


@dataclass(frozen=True, slots=True)
class Note:
    """A message: when it was sent (Unix seconds), its ticket, and the words that providers have
    said of it and the guard has been told."""

    at: int
    ticket: str
    words: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " ".join((str(self.at), self.ticket, *self.words))

    @classmethod
    def parse(cls, text: str) -> Note:
        """Read its text."""
        at, ticket, *words = text.split()
        return cls(int(at), ticket, tuple(words))

    def after(self, word: str) -> Note:
        """The note, once this word has been told."""
        return replace(self, words=(*self.words, word))


class Notes:
    """Remembers messages, sealed, for as long as their tickets are open (``outcomes.seconds``)."""

    def __init__(self, guard: Guard) -> None:
        self._guard, self._seconds = guard, guard.policy.outcomes.seconds
        self._known: OrderedDict[str, Note] = OrderedDict()
        self._awaited = WeakValueDictionary[str, asyncio.Event]()

    def know(self, key: str, note: Note) -> None:
        """Know a message in this process, at once."""
        self._known[key] = note
        if len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)
        awaited = self._awaited.get(key)
        if awaited is not None:
            awaited.set()

    async def keep(self, key: str, note: Note, now: float) -> None:
        """Let all processes know it. Raises `StoreError`, and `ValueError` if it is too long."""
        left = max(1, self._seconds - int(now - note.at))
        await self._guard.store.remember(key, str(note), left, self._at())

    async def find(self, key: str) -> Note | None:
        """What is known of a message now. Raises `StoreError`, if this process does not know it."""
        known = self._known.get(key)
        try:
            text = await self._guard.store.recall(key, self._at())
        except StoreError:
            if known is None:
                raise
            return known
        return known if text is None else Note.parse(text)

    async def news(self, key: str, seconds: float) -> None:
        """Wait for so long, or until this process has sent that message."""
        awaited = self._awaited.setdefault(key, asyncio.Event())
        try:
            async with asyncio.timeout(seconds):
                await awaited.wait()
        except TimeoutError:
            return

    async def begin(self, key: str, word: str) -> bool:
        """Whether the caller is the only one who tells this word now. Raises `StoreError`."""
        return await self._guard.store.overrides.claim(f"{key} {word}", LEASE)

    def _at(self) -> float | None:
        return self._guard.overrides.now() if self._guard.simulated else None
