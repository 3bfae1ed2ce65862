"""A circuit breaker in front of a store: an outage is paid for by a few requests, not by all.

Closed: every call passes. Open: every call fails at once. Half-open: one call is out as a probe,
and the others still fail at once.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

from pumpguard.errors import StoreError
from pumpguard.store.base import (
    Answer,
    Question,
    Redeemed,
    Redemption,
    Settlement,
    Store,
    StoreInFront,
)

FAULTS = 5
"""Faults in a row that open the breaker."""

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 8.0
"""Seconds from a fault to the next probe; each failed probe doubles them."""

logger = logging.getLogger("pumpguard.store")


class Breaker(StoreInFront):
    """Opens after five faults in a row. After a pause of 1 second, the next question is the probe:
    an answer closes the breaker, a fault doubles the pause, up to 8 seconds. Outcomes are no
    probes: they can wait, and may be lost. Overrides are read twice a second at most, so they pass.
    """

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(store)
        self._clock = clock
        self._faults = 0
        self._pause = FIRST_PAUSE
        self._probe_at: float | None = None  # None while closed
        self._half_open = False

    async def decide(self, question: Question) -> Answer:
        probe_at = self._probe_at
        if probe_at is not None:
            if self._half_open or self._clock() < probe_at:
                raise StoreError("the circuit breaker is open; the next probe is due soon")
            self._half_open = True
        try:
            answer = await self.store.decide(question)
        except StoreError as error:
            self._failed(error)
            raise
        finally:
            if probe_at is not None:
                self._half_open = False
        if self._faults:
            self._recovered()
        return answer

    async def redeem(self, redemption: Redemption) -> Redeemed:
        self._refuse_unless_closed()
        return await super().redeem(redemption)

    async def settle(self, settlements: Sequence[Settlement]) -> int:
        self._refuse_unless_closed()
        return await super().settle(settlements)

    def _refuse_unless_closed(self) -> None:
        if self._probe_at is not None:
            raise StoreError("the circuit breaker is open")

    async def remember(self, name: str, text: str, seconds: int, at: float | None = None) -> None:
        self._refuse_unless_closed()
        await super().remember(name, text, seconds, at)

    async def recall(self, name: str, at: float | None = None) -> str | None:
        self._refuse_unless_closed()
        return await super().recall(name, at)

    def _failed(self, error: StoreError) -> None:
        self._faults += 1
        if self._probe_at is not None:
            self._pause = min(self._pause * 2, LONGEST_PAUSE)
        elif self._faults < FAULTS:
            return
        else:
            logger.error(
                "PG010 store failed %d times in a row; on_store_failure decides now. The last: %s",
                self._faults,
                error,
            )
        self._probe_at = self._clock() + self._pause

    def _recovered(self) -> None:
        if self._probe_at is not None:
            logger.warning("PG011 store reachable again; decisions use it as before")
        self._faults, self._pause, self._probe_at = 0, FIRST_PAUSE, None
