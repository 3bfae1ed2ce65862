"""The verify route: the app answers it, and the guard learns who verified."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from starlette.types import ASGIApp, Receive, Scope, Send

from pumpguard.guard import Guard
from pumpguard.intake.body import AnswerCopy, BodyTee
from pumpguard.intake.verified import Heard, VerifyReader

logger = logging.getLogger("pumpguard")


class VerifyRoute:
    """Listens to the requests that enter codes, and changes nothing about them."""

    def __init__(self, app: ASGIApp, guard: Guard) -> None:
        self._app = app
        self._reports = guard.reports
        self._max_body = guard.policy.max_body
        self._reader = VerifyReader(guard.policy)

    async def watch(
        self, scope: Scope, receive: Receive, send: Send, parameters: Mapping[str, str]
    ) -> None:
        """Let the app answer, and report a success; ``parameters`` are those of the path."""
        tee, answer = BodyTee(receive, self._max_body), AnswerCopy(send)
        await self._app(scope, tee, answer)
        try:
            heard = self._reader.read(scope, tee.body, parameters, answer)
        except Exception:
            logger.exception("PG079 exception while reading a verification; it taught nothing")
            heard = Heard(missing="number", why="see PG079")
        if heard.missing is not None:
            self._reports.misheard(heard.missing, heard.why)
        elif heard.phone is not None or heard.flow is not None:
            self._reports.overheard(heard.phone, heard.flow)
        await self._reports.told()
