"""Tells the operator of what needs a person, once and not once per request."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pumpguard.decision import Decision, Finding

ALERTING = frozenset({"BUDGET_ALERT", "BUDGET_LOW", "BUDGET_SPENT", "PROVIDER_OUTAGE"})
QUIET = 6 * 3_600.0
"""Seconds for which the same alert is not raised again by this process."""

REMEMBERED = 1_000

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

    ``clock`` gives Unix seconds. Every process raises its own.
    """

    def __init__(
        self,
        on_alert: Callable[[Alert], None] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.listeners = [] if on_alert is None else [on_alert]
        self._clock = clock
        self._raised: dict[object, float] = {}

    def look(self, decision: Decision) -> None:
        """Raise what this decision gives cause for."""
        for finding in decision.findings:
            if finding.code in ALERTING:
                self._raise(finding)

    def _raise(self, finding: Finding) -> None:
        now = self._clock()
        # An outage is known by its beginning, and is one alert however long it lasts.
        since = finding.evidence.get("since")
        key = (finding.code, finding.rule, finding.subject, since)
        last = self._raised.get(key)
        if last is not None and (since is not None or now - last < QUIET):
            return
        if len(self._raised) >= REMEMBERED:
            self._raised.clear()
        self._raised[key] = now
        logger.warning("PG030 %s", finding)
        alert = Alert(finding.code, finding.rule, finding.evidence, finding.subject, now)
        for tell in self.listeners:
            try:
                tell(alert)
            except Exception:
                logger.exception("on_alert failed")
