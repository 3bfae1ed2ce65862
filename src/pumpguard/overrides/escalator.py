"""Takes the steps of escalation when alerts call for them."""

from __future__ import annotations

import logging

from pumpguard.background import BackgroundTasks
from pumpguard.decision import Decision
from pumpguard.errors import StoreError
from pumpguard.notices import Notices
from pumpguard.overrides.admin import OverrideAdmin
from pumpguard.overrides.posture import Escalation
from pumpguard.overrides.sync import OverrideSync

logger = logging.getLogger("pumpguard.alerts")


class Escalator:
    """Takes a policy's steps of escalation in the background, when findings call for them.

    Every process may take one; the first to write it wins, and the others read it.
    """

    def __init__(
        self, escalation: Escalation, admin: OverrideAdmin, sync: OverrideSync, notices: Notices
    ) -> None:
        self._escalation = escalation
        self._admin = admin
        self._sync, self._notices = sync, notices
        self._tasks = BackgroundTasks()
        self._writing = False

    def record(self, decision: Decision) -> None:
        """Step up, or note that the reason continues, if this decision calls for it."""
        for finding in decision.findings:
            if finding.code in self._escalation.on and finding.mode == "enforce":
                self._consider(finding.code)

    async def done(self) -> None:
        await self._tasks.done()

    def _consider(self, code: str) -> None:
        document, now = self._sync.current.document, self._admin.now()
        if self._writing or document.set_by_person(now):
            return
        if self._escalation.next_step(document.step, now, code) is not None:
            self._writing = self._tasks.start(self._escalate(code))

    async def _escalate(self, code: str) -> None:
        try:
            document = await self._admin.escalate(self._escalation, code)
            posture = document.fleet(self._admin.now())
            logger.warning("PG032 after %s the fleet's posture was escalated to %s", code, posture)
        except StoreError as error:
            self._notices.say(
                "PG032", code,
                "after %s the posture could not be escalated "
                "(look at it with: pumpguard posture): %s",
                code, error,
            )  # fmt: skip
        finally:
            self._writing = False
