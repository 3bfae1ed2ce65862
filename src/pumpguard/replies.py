"""What a client is told when no message is sent: problem details (RFC 9457).

A reply says how to go on, and nothing about why. It is the same for everybody, so each is made once
(under attack most replies are refusals), except for its reference and for what a challenge asks. An
app that shows pages to people may answer itself (`OnRefusal`).
"""

from __future__ import annotations

import logging
import math
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any, TypeAlias

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from pumpguard.challenges.base import Challenge
from pumpguard.cors import as_the_app_allows
from pumpguard.decision import Action, Decision
from pumpguard.errors import IntakeError
from pumpguard.notices import Notices
from pumpguard.texts import Languages, Texts

TYPE = "tag:pumpguard,2026:problem/"
"""Problem types are names and lead nowhere; clients match on how they end."""

OnRefusal: TypeAlias = Callable[
    [Decision | IntakeError, Request], Response | Awaitable[Response | None] | None
]
"""Answers a refused request in place of the problem, or returns ``None`` to leave it at that; plain
or ``async``. The request's body can be read again. An `IntakeError`, whose ``detail`` may be shown,
is about a request that could not be read. Of a decision, show no more than its ``action``,
``retry_after`` and ``reference``: a problem tells no more either."""

REFERRED = b',"reference":"%b"}'


class Problem(JSONResponse):
    """An ``application/problem+json`` response; also an ASGI app, like all of starlette's.

    ``problem`` is the end of its type, ``retry_after`` seconds, rounded up to whole ones;
    ``language`` is that of its detail, if it is not English.
    """

    media_type = "application/problem+json"

    def __init__(
        self,
        status: int,
        problem: str,
        title: str,
        detail: str,
        retry_after: float | None = None,
        language: str | None = None,
        **members: object,
    ) -> None:
        headers = {"cache-control": "no-store"}
        if language is not None:
            headers["content-language"] = language
        facts = {"type": TYPE + problem, "title": title, "status": status, "detail": detail}
        if retry_after is not None:
            seconds = max(1, math.ceil(retry_after))
            headers["retry-after"] = str(seconds)
            # Or a script of a page from another origin could not read the header.
            headers["access-control-expose-headers"] = "Retry-After"
            members["retry_after"] = seconds
        super().__init__({**facts, **members}, status, headers)
        self._referred: tuple[Any, ...] = ()  # the headers with a reference, and the length then

    def about(self, reference: str) -> Problem:
        """The same problem with a reference, if there is one. Nothing is rendered again."""
        if not reference:
            return self
        problem = Problem.__new__(Problem)
        problem.status_code, problem.background = self.status_code, None
        problem.body = bytes(self.body)[:-1] + REFERRED % reference.encode()
        length = str(len(problem.body)).encode()
        if self._referred[:1] != (length,):
            headers = [(n, length if n == b"content-length" else v) for n, v in self.raw_headers]
            self._referred = length, headers
        problem.raw_headers = self._referred[1]
        return problem

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # A copy: a middleware around us may add to the list, and the same problem is sent again.
        headers = list(self.raw_headers)
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


BAD_REQUEST = IntakeError(400, "bad-request", "Bad request", "The request cannot be read.")

UNAVAILABLE = IntakeError(503, "unavailable", "Try again", "No code can be sent right now.")

PROBLEMS = {
    "challenge": (
        403, "Proof required", "Show that a person is asking, then send this request again.",
    ),
    "throttled": (429, "Too many requests", "Please wait before asking for another code."),
    "blocked": (403, "Request refused", "No code can be sent for this request. Check the number."),
}  # fmt: skip
"""What refusals say, the same for every reason: an attacker learns nothing, an honest client
enough."""

NO_TEXTS = Languages({})


def unreadable(error: IntakeError) -> Problem:
    """The reply to a request that could not be read as an attempt."""
    return Problem(error.status, error.problem, error.title, error.detail)


def plain(name: str) -> Problem:
    """One of `PROBLEMS` as it is."""
    status, title, detail = PROBLEMS[name]
    return Problem(status, name, title, detail)


CHALLENGE, BLOCK = plain("challenge"), plain("blocked")


class Problems:
    """The problems that refusals are answered with, each made once per language."""

    def __init__(
        self,
        challenge: Challenge | None = None,
        notices: Notices | None = None,
        languages: Languages = NO_TEXTS,
    ) -> None:
        self._challenge, self._notices = challenge, notices or Notices()
        self._languages = languages
        self._made = lru_cache(maxsize=4_096)(self._make)

    def refusal(self, decision: Decision, scope: Scope) -> Problem:
        """The reply to a decision that refuses; a shadow that cannot be kept silent is a block."""
        language = self._languages.of(scope)
        match decision.action:
            # Nobody is told to prove what nothing here would check.
            case Action.CHALLENGE if self._challenge is not None:
                problem = self._challenged(self._challenge, decision, language)
            case Action.THROTTLE:
                wait = decision.retry_after
                seconds = None if wait is None else math.ceil(wait)
                problem = self._made("throttled", language, seconds)
            case _:
                problem = self._made("blocked", language)
        return problem.about(decision.reference)

    def _challenged(
        self, challenge: Challenge, decision: Decision, language: str | None
    ) -> Problem:
        plain = self._made("challenge", language)
        try:
            to_solve = challenge.pose(decision)
        except Exception:
            text = "could not create a challenge; such clients are refused without one"
            self._notices.say("PG038", "challenge", text, level=logging.ERROR, exc_info=True)
            return plain
        if to_solve is None:
            return plain
        return self._make("challenge", language, challenge=to_solve)

    def _make(
        self, name: str, language: str | None, seconds: int | None = None, **members: object
    ) -> Problem:
        status, title, detail = PROBLEMS[name]
        own = self._languages.texts.get(language or "", {}).get(name)
        spoken = language if own is not None else None
        return Problem(status, name, title, own or detail, seconds, spoken, **members)


class Refusals:
    """Answers refused requests in place of the ``app``: as it says, or with a problem."""

    def __init__(
        self,
        app: ASGIApp,
        challenge: Challenge | None,
        on_refusal: OnRefusal | None,
        notices: Notices,
        texts: Texts,
    ) -> None:
        self._app = app
        self._problems = Problems(challenge, notices, Languages(texts))
        self._on_refusal = on_refusal
        self._notices = notices

    async def reply(
        self, refused: Decision | IntakeError, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Answer one; ``receive`` begins at the body, as far as it has not been read."""
        response: Response | None = None
        if self._on_refusal is not None:
            response = await self._asked(self._on_refusal, refused, Request(scope, receive))
        if response is None:
            if isinstance(refused, IntakeError):
                response = unreadable(refused)
            else:
                response = self._problems.refusal(refused, scope)
        await response(scope, receive, await as_the_app_allows(self._app, scope, send))

    async def _asked(
        self, on_refusal: OnRefusal, refused: Decision | IntakeError, request: Request
    ) -> Response | None:
        if isinstance(refused, Decision) and refused.action is Action.SHADOW:
            refused = replace(refused, action=Action.BLOCK, findings=())  # as all others see it
        try:
            response = on_refusal(refused, request)
            if isinstance(response, Awaitable):
                response = await response
        except Exception:
            self._failed("on_refusal has raised an exception", exc_info=True)
            return None
        if response is None or isinstance(response, Response):
            return response
        self._failed(f"on_refusal returned no response but {type(response).__name__}")
        return None

    def _failed(self, what: str, *, exc_info: bool = False) -> None:
        text = "%s; refused requests are answered in JSON"
        self._notices.say("PG081", what, text, what, level=logging.ERROR, exc_info=exc_info)
