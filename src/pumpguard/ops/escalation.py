"""Takes the ladder's steps when findings call for them, behind the reply."""

from __future__ import annotations

import logging
from collections.abc import Callable

from pumpguard.decision import Decision
from pumpguard.errors import StoreError
from pumpguard.ops.behind import Behind
from pumpguard.orders.bulletin import Bulletin
from pumpguard.orders.desk import Desk
from pumpguard.orders.ladder import Ladder

logger = logging.getLogger("pumpguard.alerts")


class Escalation:
    """Every process may take a step; whoever is first takes it, and the others learn of it.

    ``clock`` gives Unix seconds.
    """

    def __init__(
        self, ladder: Ladder, desk: Desk, bulletin: Bulletin, clock: Callable[[], float]
    ) -> None:
        self._ladder = ladder
        self._desk = desk
        self._bulletin = bulletin
        self._clock = clock
        self._behind = Behind()
        self._climbing = False

    def look(self, decision: Decision) -> None:
        """Step up, or stay up, if this decision calls for it."""
        for finding in decision.findings:
            if finding.code in self._ladder.on and finding.mode == "enforce":
                self._consider(finding.code)

    async def done(self) -> None:
        """Wait for a step that is being taken."""
        await self._behind.done()

    def _consider(self, code: str) -> None:
        orders, now = self._bulletin.standing.orders, self._clock()
        if self._climbing or orders.held(now):
            return
        if self._ladder.climbed(orders.step, now, code) is not None:
            self._climbing = self._behind.begin(self._climb(code))

    async def _climb(self, code: str) -> None:
        try:
            orders = await self._desk.climb(self._ladder, code)
            posture = orders.fleet(self._clock())
            logger.warning("PG032 after %s the posture is %s", code, posture)
        except StoreError as error:
            logger.warning("PG032 after %s the posture could not be changed: %s", code, error)
        finally:
            self._climbing = False
