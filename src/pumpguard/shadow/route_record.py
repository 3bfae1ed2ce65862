"""Whether the messages of a route really pass a wrapped sender: seen, and not hoped for."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

from starlette.types import Scope

from pumpguard.decision import Action
from pumpguard.intake.routes import Routes
from pumpguard.notices import Notices
from pumpguard.shadow.current import CurrentRequest
from pumpguard.shadow.open_requests import NOTHING_SENT

GROWTH = 8
"""A shadow without a call makes it so many times as many messages that have to pass: one, 8, 64,
512… So a route where some messages go another way lets few of them through."""

GRACE = 5.0
"""Seconds after the answer within which a task or a queue's worker calls the sender."""

MAX_WAITING = 8
"""Shadows of a route that may await such a call at a time, where calls have come so late before.
Elsewhere one may: the next ones are refused openly until its call has come."""


class RouteRecord:
    """What one route has shown.

    A shadow lets the app answer, so it may be used only where the app sends by the wrapped sender.
    Admitted messages that passed it show that, and shadows under which it was called.
    """

    def __init__(
        self, route: str, notices: Notices, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.route = route
        self._notices = notices
        self._clock = clock
        self._passed = 0
        self._needed = 1
        self._late = False
        self._without_stand_in = False
        self._waiting: list[CurrentRequest] = []

    def trusted(self) -> bool:
        """Whether the app may answer a shadow here; says why not."""
        self._judge()
        most = MAX_WAITING if self._late else 1
        if self._without_stand_in:
            return False  # as PG061 has said
        if self._passed >= self._needed and len(self._waiting) < most:
            return True
        if self._needed == 1 and not self._passed:
            self._notices.say(
                "PG002",
                self.route,
                "shadow decision on %s refused openly: this process has seen no message of this "
                "route pass a function wrapped with pumpguard.sender yet",
                self.route,
            )
        return False

    def called(self, request: CurrentRequest) -> None:
        """A wrapped sender was called under a decision about this route."""
        if request.answered_at is not None:
            self._late = True

    def passed(self, has_stand_in: bool | None) -> None:
        """A message has passed the wrapped sender; ``has_stand_in`` says whether a shadow could
        return what it returned, and ``None`` that more such results are needed for it."""
        self._judge()
        if has_stand_in:
            self._passed += 1
        if has_stand_in is not False:
            return
        self._without_stand_in = True
        self._notices.say(
            "PG061",
            self.route,
            "a shadow has nothing to return to the app on %s as its sender does, so shadows are "
            "refused openly: give pumpguard.sender shadowed=like(…)",
            self.route,
        )

    def handed_over(self, request: CurrentRequest) -> None:
        """A token was taken, by which the message will be sent elsewhere."""
        if request.action is Action.ALLOW:
            self._passed += 1

    def answered(self, request: CurrentRequest, status: int | None) -> None:
        """The app has answered under a shadow, and its background tasks are done."""
        if status is None or status in NOTHING_SENT or request.tried:
            return
        self._waiting.append(request)

    def bypassed(self) -> None:
        """A wrapped sender was called under no decision while a shadow awaits its call."""
        self._notices.say(
            "PG062",
            self.route,
            "a message was sent under no decision while a shadow on %s waits for its sender to be "
            "called; it may be that one's. Carry the decision to where it sends (docs/shadow.md)",
            self.route,
        )

    def _judge(self) -> None:
        """Ask for more messages if a shadow has waited in vain."""
        if not self._waiting:
            return
        waiting = [each for each in self._waiting if not each.tried]
        oldest = self._clock() - GRACE
        self._waiting = [each for each in waiting if (each.answered_at or 0.0) >= oldest]
        if len(self._waiting) == len(waiting):
            return
        self._passed, self._needed = 0, self._needed * GROWTH
        self._notices.say(
            "PG060",
            self.route,
            "the app answered a shadow on %s and did not call its wrapped sender: the message may "
            "have been sent. Shadows are refused openly until %d messages have passed that sender",
            self.route,
            self._needed,
            level=logging.ERROR,
        )


class RouteRecords:
    """Those of all guarded routes."""

    def __init__(self, send: str | Sequence[str], notices: Notices) -> None:
        texts = (send,) if isinstance(send, str) else send
        self._records = [(Routes(text), RouteRecord(text, notices)) for text in texts]
        self.only = self._records[0][1] if len(texts) == 1 else None

    def of(self, scope: Scope) -> RouteRecord:
        """The one of this request, which is known to be guarded."""
        found = (record for routes, record in self._records if routes.match(scope) is not None)
        return next(found, self._records[0][1])
