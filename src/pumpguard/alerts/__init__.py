"""Alerts: what an operator should look at, into the log, to a callback, or to a webhook.

They are raised once and not once per request.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from math import inf
from typing import TypeAlias

from pumpguard.background import BackgroundTasks
from pumpguard.decision import Decision, Finding
from pumpguard.errors import StoreError
from pumpguard.notices import Notices
from pumpguard.times import exactly

ALERTING = (
    "BUDGET_ALERT", "BUDGET_LOW", "BUDGET_SPENT", "PROVIDER_OUTAGE", "SEND_SPIKE", "ATTEMPT_SPIKE",
)  # fmt: skip
"""The reason codes of findings that call for a person."""

QUIET = 6 * 3_600
"""Seconds for which the same alert is not raised again."""

MAX_REMEMBERED = 1_000
"""Alerts that a process remembers having raised; with more, it forgets them all."""

Claim: TypeAlias = Callable[[str, int], Awaitable[bool]]

logger = logging.getLogger("pumpguard.alerts")


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that a person should look at. ``subject`` may be personal data."""

    code: str
    rule: str
    evidence: Mapping[str, object]
    subject: str | None
    at: float


class Alerts:
    """Raises an alert for findings that call for one: into the log, and to ``on_alert``.

    ``clock`` gives Unix seconds. ``claim(what, seconds)`` says whether this process is the first of
    the fleet to raise something within so many seconds; it is called in the background. Without
    it, or while it raises `StoreError`, every process raises its own alerts.
    """

    def __init__(
        self,
        on_alert: Callable[[Alert], None] | None = None,
        clock: Callable[[], float] = time.time,
        claim: Claim | None = None,
        notices: Notices | None = None,
    ) -> None:
        self.listeners = [] if on_alert is None else [on_alert]
        self._clock = clock
        self._claim, self._notices = claim, notices or Notices(clock)
        self._tasks = BackgroundTasks()
        self._raised: dict[object, tuple[float, object]] = {}

    def record(self, decision: Decision) -> None:
        """Raise the alerts that this decision's findings call for."""
        for finding in decision.findings:
            if finding.code in ALERTING:
                self._consider(finding)

    async def done(self) -> None:
        await self._tasks.done()

    def _consider(self, finding: Finding) -> None:
        now = self._clock()
        # An outage is known by its beginning, and is one alert however long it lasts.
        since = finding.evidence.get("since")
        key = (finding.code, finding.rule, finding.subject)
        last, before = self._raised.get(key, (-inf, None))
        if now - last < QUIET or (since is not None and since == before):
            return
        if len(self._raised) >= MAX_REMEMBERED:
            self._raised.clear()
        self._raised[key] = now, since
        claim = self._claim
        if claim is None or not self._tasks.start(self._claimed(claim, repr(key), finding, now)):
            self._raise(finding, now)

    async def _claimed(self, claim: Claim, what: str, finding: Finding, at: float) -> None:
        try:
            first = await claim(what, QUIET)
        except StoreError:
            first = True  # better twice than never
        if first:
            self._raise(finding, at)

    def _raise(self, finding: Finding, at: float) -> None:
        logger.warning("PG030 alert: %s", finding)
        self._tell(Alert(finding.code, finding.rule, finding.evidence, finding.subject, at))

    def tell(self, alert: Alert) -> None:
        """Raise an alert that is about no single finding."""
        numbers = ", ".join(
            f"{name}={_words(name, value)}" for name, value in alert.evidence.items()
        )
        logger.warning("PG030 alert: %s: %s [%s]", alert.rule, alert.code, numbers)
        self._tell(alert)

    def _tell(self, alert: Alert) -> None:
        for listener in self.listeners:
            try:
                listener(alert)
            except Exception:
                text = "on_alert has raised an exception; the alert is in the log"
                self._notices.say("PG045", "on_alert", text, level=logging.ERROR, exc_info=True)


def _words(name: str, value: object) -> object:
    if name == "since" and isinstance(value, int | float):
        return exactly(value)
    return "; ".join(map(str, value)) if isinstance(value, list) else value
