"""The verify route: the app answers it, and the guard learns who verified."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial

from starlette.types import ASGIApp, Receive, Scope, Send

from pumpguard.guard import Guard
from pumpguard.intake.body import AnswerCopy, BodyTee
from pumpguard.intake.routes import Routes
from pumpguard.intake.verified import VerifyReader, VerifyResult
from pumpguard.shadow.more import with_more


class VerifyRoute:
    """Listens to the requests that enter codes, and changes nothing about them. ``routes`` are
    those of the policy, if it has any."""

    def __init__(self, app: ASGIApp, guard: Guard) -> None:
        self._app, self._guard, verify = app, guard, guard.policy.verify
        self.routes = None if verify is None else Routes(verify, "verify")
        self._reports, self._notices = guard.reports, guard.notices
        self._max_body = guard.policy.max_body
        self._reader = VerifyReader(guard.policy)

    async def passed(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the app answer a guarded request that sends nothing, as its policy says: if it does,
        each message is decided about when it is sent. One endpoint may do everything, as with
        GraphQL: then a code may be entered here."""
        parameters = None if self.routes is None else self.routes.match(scope)
        app = self._app if parameters is None else partial(self.watch, parameters=parameters)
        await with_more(self._guard, app, scope, receive, send)

    async def watch(
        self, scope: Scope, receive: Receive, send: Send, parameters: Mapping[str, str]
    ) -> None:
        """Let the app answer, and report a success; ``parameters`` are those of the path."""
        tee, answer = BodyTee(receive, self._max_body), AnswerCopy(send)
        await self._app(scope, tee, answer)
        try:
            result = await self._reader.read(scope, tee.body, parameters, answer)
        except Exception as error:
            text = "exception while reading a verification; it was not counted"
            name = type(error).__name__
            self._notices.say("PG079", name, text, level=logging.ERROR, exc_info=True)
            result = VerifyResult(missing="number", why="see PG079")
        if 400 <= (answer.status or 0) < 500 or result.missing == "wrong_code":
            self._guard.observations.hearing.code_refused()
        if result.missing is not None:
            self._reports.not_understood(result.missing, result.why)
        elif result.phones or result.flow is not None:
            self._reports.code_entered(result.phones, result.flow, another=result.another)
        await self._reports.told()
