"""The guard as a small HTTP service, for programs in any language: ``pumpguard serve``.

It decides nothing by itself: each route reads a body strictly and calls one method of `Guard`.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import cache
from importlib.resources import files
from math import inf
from time import monotonic
from typing import Any, TypeAlias

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, Router
from starlette.types import Message, Receive, Scope, Send

from pumpguard.config import require
from pumpguard.errors import ClientGone, IntakeError, PolicyError, StoreError, TicketError
from pumpguard.guard import Guard
from pumpguard.notices import Notices
from pumpguard.ops.fleet.desk import desk_of
from pumpguard.ops.metrics import FirewallMetrics
from pumpguard.replies import UNAVAILABLE, Problem, unreadable
from pumpguard.serve.answers import Recent, decided, explained
from pumpguard.serve.bodies import (
    Attempted,
    Named,
    Settled,
    Told,
    Verified,
    json_body,
    one_or_many,
    read_as,
)
from pumpguard.serve.counts import count_routes
from pumpguard.serve.tokens import BearerTokens

__all__ = ["BearerTokens", "Service"]

DEADLINE = 1.0
"""Seconds within which a request is answered, from when its body is there."""

DEADLINE_HEADER = b"pumpguard-deadline"

NOT_STORED = {"cache-control": "no-store"}

PROBED_FOR = 1.0
"""Seconds for which what was found of the store is remembered: anybody may ask ``/readyz``."""

Handler: TypeAlias = Callable[[Request], Awaitable[Response]]


class Service:
    """An ASGI app in front of ``guard``, for whoever has one of ``tokens``.

    ``metrics`` are shown at ``/metrics.json``; pass their ``record`` to the guard. Each answer
    below ``/v1/`` says in the header ``pumpguard-deadline`` after how many seconds it would have
    been a 503. ``routes`` are further ones, which check by themselves who asks. The guard is closed
    when the server shuts down. Raises `PolicyError`.
    """

    def __init__(
        self,
        guard: Guard,
        tokens: BearerTokens,
        *,
        metrics: FirewallMetrics | None = None,
        deadline: float = DEADLINE,
        routes: tuple[BaseRoute, ...] = (),
    ) -> None:
        require(0 < deadline <= 60, "deadline", "seconds above 0, at most 60", deadline)
        self.guard = guard
        self.draining = False
        self._tokens = tokens
        metrics = metrics or FirewallMetrics()
        metrics.watch(guard)
        self._recent, self._desk = Recent(), desk_of(guard)
        self._deadline = deadline
        self._header = (DEADLINE_HEADER, f"{deadline:g}".encode())
        self._notices: Notices = guard.notices
        self._store_found: tuple[float, bool] = (-inf, False)
        known = [
            Route("/v1/assess", self._posted(self._assess), methods=["POST"]),
            Route("/v1/verified", self._posted(self._verified), methods=["POST"]),
            Route("/v1/settle", self._posted(self._settle), methods=["POST"]),
            Route("/v1/explain", self._posted(self._explain), methods=["POST"]),
            *count_routes(guard, tokens, metrics),
            Route("/healthz", self._alive),
            Route("/readyz", self._ready),
            Route("/openapi.json", self._description),
        ]
        self._router = Router([*known, *routes], redirect_slashes=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return

        async def with_deadline(message: Message) -> None:
            if message["type"] == "http.response.start" and scope["path"].startswith("/v1/"):
                message["headers"] = [*message["headers"], self._header]
            await send(message)

        scope["app"] = self  # so that the router raises what it has no route for
        try:
            await self._router(scope, receive, with_deadline)
        except ClientGone:
            return
        except Exception as error:
            await self._problem(error)(scope, receive, with_deadline)

    def _problem(self, error: Exception) -> Problem:
        """What an exception of a handler's means to the client."""
        match error:
            case IntakeError():
                problem = unreadable(error)
                if error.status == 401:
                    problem.headers["www-authenticate"] = "Bearer"
                return problem
            case PolicyError():
                detail = f"{error.path}: expected {error.expected}"
                return Problem(422, "bad-field", "Bad field", detail, path=error.path)
            case TicketError():
                return Problem(422, "bad-ticket", "Not a ticket", "This service made no such text.")
            case HTTPException():
                detail = "See GET /openapi.json for what there is."
                problem = Problem(error.status_code, "not-here", error.detail, detail)
                problem.headers.update(error.headers or {})
                return problem
        if not isinstance(error, TimeoutError | StoreError):
            text, name = "exception while answering; answered 503", type(error).__name__
            self._notices.say("PG101", name, text, level=logging.ERROR, exc_info=error)
        return unreadable(UNAVAILABLE)

    def _posted(self, handle: Callable[[object], Awaitable[Response]]) -> Handler:
        """A handler of JSON, from whoever has a token."""

        async def answer(request: Request) -> Response:
            self._tokens.check(request.scope["headers"])
            found = await json_body(request)
            async with asyncio.timeout(self._deadline):
                return await handle(found)

        return answer

    async def _assess(self, body: object) -> Response:
        found = one_or_many(Attempted, "attempts", body)
        if isinstance(found, Attempted):
            return _answer(await self._decided(found))
        return _answer({"decisions": await asyncio.gather(*map(self._one_of_many, found))})

    async def _one_of_many(self, asked: Attempted) -> dict[str, object]:
        """Its decision, or what is wrong with this one alone, such as a number that is none."""
        try:
            return await self._decided(asked)
        except Exception as error:
            return {"problem": json.loads(bytes(self._problem(error).body))}

    async def _decided(self, asked: Attempted) -> dict[str, object]:
        decision = await self.guard.assess(asked.attempt(self.guard))
        return decided(self.guard, decision, self._recent.keep(decision))

    async def _verified(self, body: object) -> Response:
        found = one_or_many(Verified, "verifications", body)
        if not self.guard.policy.verified:
            detail = "The policy hears of no verifications: it says neither settled nor verify."
            raise IntakeError(409, "not-listening", "Not listening", detail)
        return self._told(found)

    async def _settle(self, body: object) -> Response:
        return self._told(one_or_many(Settled, "outcomes", body))

    def _told(self, found: Told | Sequence[Told]) -> Response:
        """Tell the guard. One of several that makes no sense keeps none of the others back."""
        if not isinstance(found, Sequence):
            found.tell(self.guard)
            return _answer({"accepted": 1, "problems": []}, 202)
        problems = []
        for i, each in enumerate(found):
            try:
                each.tell(self.guard)
            except (IntakeError, TicketError) as error:
                problems.append({"index": i, **json.loads(bytes(self._problem(error).body))})
        return _answer({"accepted": len(found) - len(problems), "problems": problems}, 202)

    async def _explain(self, body: object) -> Response:
        """Why a decision was made, by its id; or what would be decided now, and nothing is
        counted."""
        if isinstance(body, dict) and "phone" in body:
            asked = read_as(Attempted, body).attempt(self.guard)
            if self._desk is None:
                raise UNAVAILABLE
            told = explained((await self._desk.explain(asked)).decision)
        else:
            decision = self._recent.find(read_as(Named, body).id)
            told = explained(decision, decision.reference)
        return Response(told, headers=NOT_STORED, media_type="application/json")

    async def _alive(self, request: Request) -> Response:
        return _answer({"status": "alive"})

    async def _ready(self, request: Request) -> Response:
        """Whether this process should be sent requests: not while it ends, nor where it would
        refuse everything because the store is away."""
        answers = await self._store_answers()
        closed = self.guard.policy.on_store_failure == "closed"
        ready = not self.draining and (answers or not closed)
        store = "answers" if answers else "away"
        return _answer({"ready": ready, "store": store}, 200 if ready else 503)

    async def _store_answers(self) -> bool:
        asked, answered = self._store_found
        if monotonic() - asked > PROBED_FOR:
            try:
                at = self.guard.overrides.now() if self.guard.simulated else None
                await self.guard.store.recall("ready", at)
                answered = True
            except StoreError:
                answered = False
            self._store_found = monotonic(), answered
        return answered

    async def _description(self, request: Request) -> Response:
        return _answer(description())

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.guard.aclose()
        await send({"type": "lifespan.shutdown.complete"})


def _answer(content: object, status: int = 200) -> Response:
    return JSONResponse(content, status, NOT_STORED)


@cache
def description() -> dict[str, Any]:
    """The service's OpenAPI document."""
    from pumpguard import __version__

    text = files("pumpguard.serve").joinpath("openapi.json").read_text("utf-8")
    document: dict[str, Any] = json.loads(text)
    document["info"]["version"] = __version__
    return document
