"""Where overrides are kept: one document per policy, of which a store knows only the version.

A document begins with its version, 6 bytes that only ever grow; `pumpguard.overrides.document`
reads the text behind it. It is replaced as a whole, and only by a writer who names the version that
is to be replaced.

In a fleet every shard has a copy, of which the newest counts. A writer replaces the copy in the
first shard, in one step, and then the others. If it ends in between, the next reader finds
different copies and replaces the older ones; the newest is never lost and copies are never mixed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Protocol

from pumpguard.errors import StoreError
from pumpguard.store.scripts import Call, script

if TYPE_CHECKING:
    from pumpguard.store.transport.link import Link

VERSION = "overrides"
"""How the key ends that holds the version alone."""

VERSION_BYTES = 6
"""Length of the version. An absent document has version 0, and no bytes."""

DOCUMENT, CLAIM = "overrides:text", "said:"
"""How the other keys end. Those of counters end in a hash, which has none of these letters."""

LIFETIME_MS = 400 * 86_400_000
"""Milliseconds. Starts again with every write, and whenever a process reads the document."""

NO_VERSION = b"?"
"""What no document has as its version."""

SCRIPT = script("overrides")


class OverrideStore(Protocol):
    """Keeps a policy's overrides. Raises `StoreError` when it cannot answer in time."""

    async def read(self) -> bytes:
        """The newest document. Reading it also puts off its expiry."""

    async def read_if_changed(self, known: bytes) -> bytes | None:
        """Like `read`, but ``None`` if every copy still has the ``known`` version."""

    async def write(self, replaced: bytes, text: bytes) -> bytes | None:
        """Put ``text`` in place of the document whose version is ``replaced``. Returns the new
        version, or ``None`` if the document has another version by now. After a `StoreError` it
        may or may not have been written."""

    async def restore(self, document: bytes) -> None:
        """Put a document back wherever an older one, or none, is kept."""

    async def claim(self, what: str, seconds: int) -> bool:
        """Whether the caller is the first to claim this within so many seconds."""


def version_of(document: bytes) -> int:
    """The version with which a document begins."""
    return int.from_bytes(document[:VERSION_BYTES])


class MemoryOverrides:
    """Overrides of this process alone; ``version`` is that of the document, in bytes."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._document = self.version = b""
        self._claims: dict[str, float] = {}

    async def read(self) -> bytes:
        return self._document

    async def read_if_changed(self, known: bytes) -> bytes | None:
        return None if self.version == known else self._document

    async def write(self, replaced: bytes, text: bytes) -> bytes | None:
        if self.version != replaced:
            return None
        version = max(version_of(self._document) + 1, int(self._clock() * 1000))
        await self.restore(version.to_bytes(VERSION_BYTES) + text)
        return self.version

    async def restore(self, document: bytes) -> None:
        if version_of(document) > version_of(self._document):
            self._document, self.version = document, document[:VERSION_BYTES]

    async def claim(self, what: str, seconds: int) -> bool:
        now = self._clock()
        self._claims = {each: until for each, until in self._claims.items() if until > now}
        if what in self._claims:
            return False
        self._claims[what] = now + seconds
        return True


class SharedOverrides:
    """Overrides in Redis or Valkey; ``links`` and ``prefixes`` are those of the shards."""

    def __init__(self, links: Sequence[Link], prefixes: Sequence[str]) -> None:
        self._shards = list(zip(links, prefixes, strict=True))

    async def read(self) -> bytes:
        return await self.read_if_changed(NO_VERSION) or b""

    async def read_if_changed(self, known: bytes) -> bytes | None:
        """The newest of the copies that have another version than ``known``; older ones are
        replaced by it. It may be older than ``known``, after a server has lost data: then the
        caller has to `restore`."""
        shards = range(len(self._shards))
        found = await asyncio.gather(
            *(self._run(i, "r", known) for i in shards), return_exceptions=True
        )
        faults = [each for each in found if isinstance(each, BaseException)]
        for fault in faults:  # of several shards, some may be away
            if not isinstance(fault, StoreError) or len(faults) == len(found):
                raise fault
        copies = [each for each in found if isinstance(each, bytes)]
        if not copies:
            return None
        newest = max(copies, key=version_of)
        if len(found) > 1:
            await self._copy(newest, shards)
        return newest

    async def write(self, replaced: bytes, text: bytes) -> bytes | None:
        version = await self._run(0, "w", replaced, text)
        if not version:
            return None
        await self._copy(version + text, range(1, len(self._shards)))
        return version

    async def restore(self, document: bytes) -> None:
        if document:
            await self._copy(document, range(len(self._shards)))

    async def claim(self, what: str, seconds: int) -> bool:
        link, prefix = self._shards[0]
        key = prefix + CLAIM + blake2b(what.encode(), digest_size=10).hexdigest()
        return bool(await link.run(Call(SCRIPT, (key,), ("c", "", "", seconds * 1000))))

    async def _copy(self, document: bytes, shards: Sequence[int]) -> None:
        done = await asyncio.gather(
            *(self._run(i, "p", b"", document) for i in shards), return_exceptions=True
        )
        for each in done:
            if isinstance(each, BaseException) and not isinstance(each, StoreError):
                raise each

    async def _run(
        self, shard: int, verb: str, version: bytes = b"", text: bytes = b""
    ) -> bytes | None:
        link, prefix = self._shards[shard]
        keys = (prefix + VERSION, prefix + DOCUMENT)
        reply: bytes | None = await link.run(Call(SCRIPT, keys, (verb, version, text, LIFETIME_MS)))
        return reply
