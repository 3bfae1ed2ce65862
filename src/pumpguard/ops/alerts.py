"""Tells the operator of what needs a person, once and not once per request."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from pumpguard.decision import Finding
from pumpguard.errors import StoreError
from pumpguard.ops.behind import Behind

QUIET = 6 * 3_600
"""Seconds for which the same alert is not raised again."""

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

    ``clock`` gives Unix seconds. ``claim`` says whether this process is the first of the fleet to
    raise something within so many seconds; it is asked behind the reply. Without it, or while it
    cannot answer, every process raises its own.
    """

    def __init__(
        self,
        on_alert: Callable[[Alert], None] | None = None,
        clock: Callable[[], float] = time.time,
        claim: Callable[[str, int], Awaitable[bool]] | None = None,
    ) -> None:
        self.listeners = [] if on_alert is None else [on_alert]
        self._clock = clock
        self._claim = claim
        self._behind = Behind()
        self._raised: dict[object, float] = {}

    def consider(self, finding: Finding) -> None:
        """Raise an alert for a finding that calls for one, unless the same was raised lately."""
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
        if self._claim is None or not self._behind.begin(self._claimed(repr(key), finding, now)):
            self._raise(finding, now)

    async def done(self) -> None:
        """Wait for what is being raised."""
        await self._behind.done()

    async def _claimed(self, what: str, finding: Finding, at: float) -> None:
        assert self._claim is not None  # noqa: S101 - for the type checker
        try:
            mine = await self._claim(what, QUIET)
        except StoreError:
            mine = True  # better twice than never
        if mine:
            self._raise(finding, at)

    def _raise(self, finding: Finding, at: float) -> None:
        logger.warning("PG030 %s", finding)
        alert = Alert(finding.code, finding.rule, finding.evidence, finding.subject, at)
        for tell in self.listeners:
            try:
                tell(alert)
            except Exception:
                logger.exception("on_alert failed")
