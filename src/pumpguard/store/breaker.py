"""A circuit breaker: while the store is away, only one request in a while pays to find out."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

from pumpguard.errors import StoreError
from pumpguard.store.base import Answer, Question, Redeemed, Redemption, Settlement, Store

FAULTS = 5
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 8.0

logger = logging.getLogger("pumpguard.store")


class Breaker:
    """A store in front of a store.

    After five faults in a row it opens and fails at once. When its pause is over, one question
    goes through as a probe: an answer closes it, another fault doubles the pause up to 8 seconds.
    """

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        self.store = store
        self.overrides = store.overrides  # read twice a second at most, so it needs no breaker
        self._clock = clock
        self._faults = 0
        self._pause = FIRST_PAUSE
        self._opens_at: float | None = None
        self._probing = False

    async def decide(self, question: Question) -> Answer:
        """Pass the question on, unless the breaker is open. Raises `StoreError`."""
        probe = self._opens_at is not None
        if probe and (self._probing or self._clock() < (self._opens_at or 0)):
            raise StoreError("the store is away; the next probe is due soon")
        self._probing = probe
        try:
            answer = await self.store.decide(question)
        except StoreError:
            self._failed()
            raise
        finally:
            if probe:
                self._probing = False
        self._answered()
        return answer

    async def redeem(self, redemption: Redemption) -> Redeemed:
        """Pass it on, unless the breaker is open. Raises `StoreError`."""
        self._refuse_if_open()
        return await self.store.redeem(redemption)

    async def settle(self, settlements: Sequence[Settlement]) -> int:
        """Pass them on, unless the breaker is open. Raises `StoreError`."""
        self._refuse_if_open()
        return await self.store.settle(settlements)

    async def aclose(self) -> None:
        """Close the store behind."""
        await self.store.aclose()

    def _refuse_if_open(self) -> None:
        # Questions probe; outcomes can wait, and may be lost.
        if self._opens_at is not None:
            raise StoreError("the store is away")

    def _failed(self) -> None:
        self._faults += 1
        if self._opens_at is not None:
            self._pause = min(self._pause * 2, LONGEST_PAUSE)
        elif self._faults < FAULTS:
            return
        else:
            logger.error(
                "PG010 store unreachable after %d errors in a row; on_store_failure decides now",
                self._faults,
            )
        self._opens_at = self._clock() + self._pause

    def _answered(self) -> None:
        if self._opens_at is not None:
            logger.warning("PG011 store reachable again; decisions use it as before")
        self._faults, self._pause, self._opens_at = 0, FIRST_PAUSE, None
