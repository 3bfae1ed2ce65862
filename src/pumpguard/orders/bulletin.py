"""What this process knows of the orders, and how it keeps up with them.

Every decision that asks the store brings the version along by which it was made, and counts only
if that is still the one. What is answered without asking (a known ban, a refusal from the request
alone, the posture ``closed``) may rest on what was heard up to half a second ago; then the store
is looked at once before the next such answer.
"""

from __future__ import annotations

import asyncio
import logging
from time import monotonic

from pumpguard.errors import OrdersError, StoreError
from pumpguard.orders.document import Orders
from pumpguard.orders.lists import Hash
from pumpguard.orders.standing import Standing
from pumpguard.store.orders import MARK, OrderStore, version_of

FRESH = 0.5
"""Seconds for which answers may rest on what was heard: half of the second within which an order
is obeyed everywhere."""

logger = logging.getLogger("pumpguard")


class Bulletin:
    """The orders that this process knows. ``scattered`` says that they are kept in several places,
    of which a decision asks one."""

    def __init__(self, store: OrderStore, hashed: Hash, *, scattered: bool = False) -> None:
        self.standing = Standing(Orders(), hashed)
        self._document = b""
        self._store = store
        self._hashed = hashed
        self._scattered = scattered
        self._heard = self._seen = -FRESH
        self._task: asyncio.Task[None] | None = None

    def heard(self) -> None:
        """The store has just said that these are the orders."""
        self._heard = monotonic()
        if self._scattered and self._heard - self._seen > FRESH:
            self._load()  # one place may have missed what another has; nobody waits for it

    def doubt(self) -> None:
        """There are new orders, for all we know: look before the next answer."""
        self._heard = -FRESH

    def fresh(self, at: float) -> bool:
        """Whether they were heard of so shortly before this time (monotonic seconds), or since,
        that it may be answered by them."""
        return self._heard >= at - FRESH

    async def renew(self) -> bool:
        """Read the orders; all who wait share one reading. Returns whether they are others now.

        A fault leaves what is known, and is not tried again for half a second.
        """
        before = self.standing
        task = self._load()
        await asyncio.wait({task})
        return self.standing is not before

    async def settled(self) -> None:
        """Wait for a reading that is under way."""
        task = self._task
        if task is not None and task.get_loop() is asyncio.get_running_loop():
            await asyncio.wait({task})

    def _load(self) -> asyncio.Task[None]:
        loop, task = asyncio.get_running_loop(), self._task
        if task is None or task.done() or task.get_loop() is not loop:
            task = self._task = loop.create_task(self._read())
        return task

    async def _read(self) -> None:
        self._heard = self._seen = monotonic()
        try:
            document = await self._store.news(self._document[:MARK])
            if document is None:
                return
            if version_of(document) < version_of(self._document):
                # The server has lost what it knew: a kill switch must not be lost with it.
                logger.warning("PG041 the store has older orders than this process; restored")
                await self._store.restore(self._document)
            else:
                self._learn(document)
        except StoreError as error:
            logger.debug("the orders could not be read: %s", error)
        except Exception:
            logger.exception("PG042 the orders could not be read; those known still hold")

    def _learn(self, document: bytes) -> None:
        try:
            orders = Orders.parse(document)
        except OrdersError as error:
            # By a newer release, or damaged. The version is taken over, or every decision would
            # stumble over it.
            said = "PG042 orders that cannot be read; those known still hold: %s"
            logger.log(logging.ERROR, said, error)
            self.standing = Standing(self.standing.orders, self._hashed)
            self.standing.mark = document[:MARK]
        else:
            self.standing = Standing(orders, self._hashed)
        self._document = document
