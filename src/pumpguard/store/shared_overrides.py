"""The overrides of a fleet: a copy in every shard, of which the newest counts.

A writer replaces the copy in the first shard, in one step, and then the others. If it ends in
between, the next reader finds different copies and replaces the older ones; the newest is never
lost and copies are never mixed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from hashlib import blake2b

from pumpguard.errors import StoreError
from pumpguard.store.overrides import VERSION, version_of
from pumpguard.store.scripts import script
from pumpguard.store.transport.link import Link

DOCUMENT, CLAIM = "orders:text", "said:"
"""How the other keys end. Those of counters end in a hash, which has none of these letters."""

LIFETIME = 400 * 86_400_000
"""Milliseconds. Starts again with every write, and whenever a process reads the document."""

NO_VERSION = b"?"
"""What no document has as its version."""

OVERRIDES_SCRIPT, CLAIM_SCRIPT = script("overrides"), script("claim")


class SharedOverrides:
    """Overrides in Redis or Valkey; ``links`` and ``prefixes`` are those of the shards."""

    def __init__(self, links: Sequence[Link], prefixes: Sequence[str]) -> None:
        self._shards = list(zip(links, prefixes, strict=True))

    async def read(self) -> bytes:
        """The newest of all copies. Raises `StoreError`."""
        found = await self.read_if_changed(NO_VERSION)
        assert found is not None  # noqa: S101 - for the type checker: no version is this one
        return found

    async def read_if_changed(self, known: bytes) -> bytes | None:
        """The newest of the copies that have another version than ``known``; ``None`` if none has.

        Copies that are older than the one returned are replaced by it. That one may itself be
        older than ``known``, after a server has lost data: then the caller has to `restore`.
        Raises `StoreError`.
        """
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
        """Replace the first shard's copy, then the others. Raises `StoreError`, after which it may
        or may not have been written: read it."""
        version = await self._run(0, "w", replaced, text)
        if not version:
            return None
        await self._copy(version + text, range(1, len(self._shards)))
        return version

    async def restore(self, document: bytes) -> None:
        """Write it into every shard that has an older one. Raises `StoreError`."""
        if document:
            await self._copy(document, range(len(self._shards)))

    async def claim(self, what: str, seconds: int) -> bool:
        """Whether this process is the first to claim this. Raises `StoreError`."""
        link, prefix = self._shards[0]
        key = prefix + CLAIM + blake2b(what.encode(), digest_size=10).hexdigest()
        return bool(await link.run(*CLAIM_SCRIPT, (key,), (seconds * 1000,)))

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
        said: bytes | None = await link.run(
            *OVERRIDES_SCRIPT, keys, (verb, version, text, LIFETIME)
        )
        return said
