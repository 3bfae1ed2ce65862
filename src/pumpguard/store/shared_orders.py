"""Orders for a fleet: a copy in every shard, of which the newest is right.

A writer replaces the copy in the first shard, in one step, and then the others. If it ends in
between, whoever reads next meets different copies and puts the older ones right; the newest is
never lost and nothing is ever mixed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from hashlib import blake2b

from pumpguard.errors import StoreError
from pumpguard.store.encoding import script
from pumpguard.store.orders import MARK, version_of
from pumpguard.store.transport.link import Link

VERSION, DOCUMENT, CLAIM = "orders", "orders:text", "said:"
"""How the keys end. Those of counters end in a hash, which has none of these letters."""

KEPT = 400 * 86_400_000
"""Milliseconds. Begins anew with every writing, and whenever a process loads the document."""

ORDERS, CLAIMS = script("orders"), script("claim")


class SharedOrders:
    """Orders in Redis or Valkey; ``links`` and ``prefixes`` are those of the shards."""

    def __init__(self, links: Sequence[Link], prefixes: Sequence[str]) -> None:
        self._shards = list(zip(links, prefixes, strict=True))

    async def read(self) -> bytes:
        """The newest of all copies; older ones are put right. Raises `StoreError`."""
        found = await asyncio.gather(*(self._run(i, "r") for i in range(len(self._shards))),
                                     return_exceptions=True)  # fmt: skip
        copies = {i: copy for i, copy in enumerate(found) if isinstance(copy, bytes)}
        faults = [each for each in found if isinstance(each, BaseException)]
        for fault in faults:  # of several shards, some may be away
            if not isinstance(fault, StoreError) or not copies:
                raise fault
        newest = max(copies.values(), key=version_of)
        await self._copy(newest, [i for i, copy in copies.items() if copy[:MARK] != newest[:MARK]])
        return newest

    async def write(self, replaced: bytes, text: bytes) -> bytes | None:
        """The first shard's copy, then the others. Raises `StoreError`, after which it may have
        been written: read it."""
        version = await self._run(0, "w", replaced, text)
        if not version:
            return None
        await self._copy(version + text, range(1, len(self._shards)))
        return version

    async def restore(self, document: bytes) -> None:
        """Into every shard that has an older one. Raises `StoreError`."""
        if document:
            await self._copy(document, range(len(self._shards)))

    async def claim(self, what: str, seconds: int) -> bool:
        """Whether this is the first process to say so. Raises `StoreError`."""
        link, prefix = self._shards[0]
        key = prefix + CLAIM + blake2b(what.encode(), digest_size=10).hexdigest()
        return bool(await link.run(*CLAIMS, (key,), (seconds * 1000,)))

    async def _copy(self, document: bytes, shards: Sequence[int]) -> None:
        done = await asyncio.gather(
            *(self._run(i, "p", b"", document) for i in shards), return_exceptions=True
        )
        for each in done:
            if isinstance(each, BaseException) and not isinstance(each, StoreError):
                raise each

    async def _run(self, shard: int, verb: str, replaced: bytes = b"", text: bytes = b"") -> bytes:
        link, prefix = self._shards[shard]
        keys = (prefix + VERSION, prefix + DOCUMENT)
        return bytes(await link.run(*ORDERS, keys, (verb, replaced, text, KEPT)))
