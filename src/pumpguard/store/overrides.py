"""Where overrides are kept: one document per policy, of which a store knows only the version.

A document begins with its version, 6 bytes that only ever grow; `pumpguard.overrides.document`
reads the text behind it. It is replaced as a whole, and only by a writer who names the version that
is to be replaced.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

VERSION = "orders"
"""How the key ends that holds the version alone; the word of release 0.1."""

VERSION_BYTES = 6
"""Length of the version. An absent document has version 0, and no bytes."""


class OverrideStore(Protocol):
    """Keeps a policy's overrides. Raises `StoreError` when it cannot answer in time."""

    async def read(self) -> bytes:
        """The newest document. Reading it also puts off its expiry."""
        ...

    async def read_if_changed(self, known: bytes) -> bytes | None:
        """Like `read`, but ``None`` if every copy still has the ``known`` version."""
        ...

    async def write(self, replaced: bytes, text: bytes) -> bytes | None:
        """Put ``text`` in place of the document whose version is ``replaced``. Returns the new
        version, or ``None`` if the document has another version by now."""
        ...

    async def restore(self, document: bytes) -> None:
        """Put a document back wherever an older one, or none, is kept."""
        ...

    async def claim(self, what: str, seconds: int) -> bool:
        """Whether the caller is the first to claim this within so many seconds."""
        ...


def version_of(document: bytes) -> int:
    """The version with which a document begins."""
    return int.from_bytes(document[:VERSION_BYTES])


class MemoryOverrides:
    """Overrides of this process alone."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._document = b""
        self._claims: dict[str, float] = {}

    @property
    def version(self) -> bytes:
        """The version in bytes, as questions carry it."""
        return self._document[:VERSION_BYTES]

    async def read(self) -> bytes:
        """The document."""
        return self._document

    async def read_if_changed(self, known: bytes) -> bytes | None:
        """The document, if it has another version."""
        return None if self.version == known else self._document

    async def write(self, replaced: bytes, text: bytes) -> bytes | None:
        """Replace it, if it has the version that is to be replaced."""
        if self.version != replaced:
            return None
        version = max(version_of(self._document) + 1, int(self._clock() * 1000))
        self._document = version.to_bytes(VERSION_BYTES) + text
        return self.version

    async def restore(self, document: bytes) -> None:
        """Put it back if it is newer."""
        if version_of(document) > version_of(self._document):
            self._document = document

    async def claim(self, what: str, seconds: int) -> bool:
        """Whether nobody has claimed it."""
        now = self._clock()
        self._claims = {each: until for each, until in self._claims.items() if until > now}
        return self._claims.setdefault(what, now + seconds) == now + seconds
