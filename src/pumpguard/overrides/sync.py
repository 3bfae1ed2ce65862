"""Keeps the overrides that this process knows up to date with the store.

Every question to the store carries the version of the overrides by which it was made, and the store
answers it only if that version is still current. A decision without a question (a known ban, a
refusal from the request alone, the posture ``closed``) may use overrides that were checked at most
`MAX_AGE` ago; before a later one, the store is read once.
"""

from __future__ import annotations

import asyncio
import logging
from time import monotonic

from pumpguard.background import Later
from pumpguard.errors import OverrideError, StoreError
from pumpguard.notices import Notices
from pumpguard.overrides.document import OverrideDocument
from pumpguard.overrides.lists import Hash
from pumpguard.overrides.lookup import Overrides
from pumpguard.store.overrides import VERSION_BYTES, OverrideStore, version_of

MAX_AGE = 0.5
"""Seconds. Half of the second within which an override holds in every process."""

WATCHED = 5.0
"""Seconds after which overrides that stand are looked at again, whether or not anybody asks for a
message: once the store is away, what was heard last goes on."""

UNREADABLE = "overrides cannot be read; the last known ones stay in force"

logger = logging.getLogger("pumpguard")


class OverrideSync:
    """The overrides that this process knows.

    ``current`` is what to decide by. ``checked_at`` is when it was last known to be the store's
    (monotonic seconds): a decision that began at ``t`` and did not ask the store may use
    ``current`` if ``checked_at >= t - MAX_AGE``. ``sharded`` says that each shard has a copy, of
    which a decision asks one; where none is, setting ``checked_at`` is all of `mark_fresh`.
    """

    def __init__(
        self, store: OverrideStore, hashed: Hash, notices: Notices, *, sharded: bool = False
    ) -> None:
        self.current = Overrides(OverrideDocument(), hashed)
        self.checked_at = self._read_at = -MAX_AGE
        self._document = b""
        self._store, self._notices = store, notices
        self._hashed = hashed
        self.sharded = sharded
        self._task: asyncio.Task[None] | None = None
        self._watching, self._closed = Later(WATCHED, self.refresh), False

    def mark_fresh(self) -> None:
        """The store has just confirmed that ``current`` has its version."""
        self.checked_at = monotonic()
        if self.sharded and self.checked_at - self._read_at > MAX_AGE:
            self._start_reading()  # another shard may have a newer copy; nobody waits for it

    def invalidate(self) -> None:
        """The overrides may have changed: read them before the next decision without a question."""
        self.checked_at = -MAX_AGE

    async def refresh(self) -> bool:
        """Read the overrides; concurrent callers share one reading. Returns whether they changed.

        After an error ``current`` stays, and is not read again for `MAX_AGE`.
        """
        before = self.current
        await asyncio.wait({self._start_reading()})
        return self.current is not before

    async def settled(self) -> None:
        task = self._task
        if task is not None and task.get_loop() is asyncio.get_running_loop():
            await asyncio.wait({task})

    async def aclose(self) -> None:
        self._closed = True
        await self._watching.done()

    def _start_reading(self) -> asyncio.Task[None]:
        loop, task = asyncio.get_running_loop(), self._task
        if task is None or task.done() or task.get_loop() is not loop:
            task = self._task = loop.create_task(self._read())
        return task

    async def _read(self) -> None:
        self.checked_at = self._read_at = monotonic()
        try:
            document = await self._store.read_if_changed(self._document[:VERSION_BYTES])
            if document is None:
                pass
            elif version_of(document) < version_of(self._document):
                # The server has lost its data: a kill switch must not be lost with it.
                self._notices.say(
                    "PG041", "overrides",
                    "the store has lost newer overrides (failover or flush?); "
                    "this process has written them back",
                )  # fmt: skip
                await self._store.restore(self._document)
            else:
                self._use(document)
        except StoreError as error:
            logger.debug("the overrides could not be read: %s", error)
        except Exception:
            self._notices.say("PG042", "read", UNREADABLE, level=logging.ERROR, exc_info=True)
        if not (self.current.empty or self._closed):
            self._watching.soon()

    def _use(self, stored: bytes) -> None:
        try:
            document = OverrideDocument.parse(stored)
        except OverrideError as error:
            # Written by a newer release, or damaged. The version is taken over all the same, or the
            # store would refuse every question.
            self._notices.say("PG042", "parse", f"{UNREADABLE}: %s", error, level=logging.ERROR)
            version = stored[:VERSION_BYTES]
            self.current = Overrides(self.current.document, self._hashed, version)
        else:
            self.current = Overrides(document, self._hashed)
        self._document = stored
