"""Where orders are kept: one document per policy, and only bytes here.

A document begins with its version, 6 bytes that only ever grow; the text behind it is read
elsewhere. It is replaced whole, by whoever knows what it replaces, in one step.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

VERSION = "orders"
"""How the key ends that holds the version alone."""

MARK = 6
"""Bytes of the version. An absent document has version 0, and no bytes."""


class OrderStore(Protocol):
    """Keeps a policy's orders. Raises `StoreError` when it cannot answer in time."""

    async def read(self) -> bytes:
        """The newest document; whoever loads it sees to it that it does not expire."""
        ...

    async def news(self, known: bytes) -> bytes | None:
        """The same for who knows a version: nothing if it is still the one everywhere."""
        ...

    async def write(self, replaced: bytes, text: bytes) -> bytes | None:
        """Put ``text`` in place of the document whose version is ``replaced``. Returns its own
        version, or ``None`` if another document is there by now."""
        ...

    async def restore(self, document: bytes) -> None:
        """Put a document back wherever an older one, or none, is kept."""
        ...

    async def claim(self, what: str, seconds: int) -> bool:
        """Whether the caller is the first in so many seconds to claim this."""
        ...


def version_of(document: bytes) -> int:
    """The version with which a document begins."""
    return int.from_bytes(document[:MARK])


class MemoryOrders:
    """Orders in this process, which alone obeys them."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._document = b""
        self._claims: dict[str, float] = {}

    @property
    def mark(self) -> bytes:
        """The version, as questions bring it along."""
        return self._document[:MARK]

    async def read(self) -> bytes:
        """The document."""
        return self._document

    async def news(self, known: bytes) -> bytes | None:
        """The document, if it has another version."""
        return None if self.mark == known else self._document

    async def write(self, replaced: bytes, text: bytes) -> bytes | None:
        """Replace it, if it is what the writer thinks it is."""
        if self.mark != replaced:
            return None
        version = max(version_of(self._document) + 1, int(self._clock() * 1000))
        self._document = version.to_bytes(MARK) + text
        return self.mark

    async def restore(self, document: bytes) -> None:
        """Put it back if it is newer."""
        if version_of(document) > version_of(self._document):
            self._document = document

    async def claim(self, what: str, seconds: int) -> bool:
        """Whether nobody has claimed it."""
        now = self._clock()
        self._claims = {each: until for each, until in self._claims.items() if until > now}
        return self._claims.setdefault(what, now + seconds) == now + seconds
