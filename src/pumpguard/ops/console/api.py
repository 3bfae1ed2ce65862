"""The JSON API: what the page does, for programs with the token in a header."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pumpguard.errors import IntakeError, PolicyError, StoreError
from pumpguard.guard import Guard
from pumpguard.ops.console.auth import Authenticator
from pumpguard.ops.console.fleet_api import FleetApi
from pumpguard.ops.console.forms import (
    ListingChange,
    ListingRemoval,
    PostureChange,
    change_from,
    read_json,
)
from pumpguard.ops.console.text import listing_by_id, listing_id, masked_listing
from pumpguard.ops.fleet.desk import Desk
from pumpguard.ops.masking import masked_text
from pumpguard.overrides.document import OverrideDocument
from pumpguard.replies import Problem, unreadable

Handler = Callable[[Request], Awaitable[Any]]

AWAY = "The store did not answer: the change may or may not be in force. Ask GET api/overrides."


class Api:
    """The routes under ``api/``. An override's answer is the whole document as it is then."""

    def __init__(self, guard: Guard, auth: Authenticator, desk: Desk | None) -> None:
        self._fleet = None if desk is None else FleetApi(desk)
        self._admin = guard.overrides
        self._key = guard.policy.secret
        self._auth = auth

    def routes(self) -> list[Route]:
        posture, listing, removal = map(self._apply, (PostureChange, ListingChange, ListingRemoval))
        fleet = [] if self._fleet is None else [
            Route(f"/api/{path}", self._handler(work), methods=[method])
            for method, path, work in self._fleet.calls()
        ]  # fmt: skip
        return [
            *fleet,
            Route("/api/overrides", self._handler(self._show), methods=["GET"]),
            Route("/api/posture", self._handler(posture), methods=["POST"]),
            Route("/api/lists", self._handler(listing), methods=["POST"]),
            Route("/api/lists", self._handler(removal), methods=["DELETE"]),
            Route("/api/lists/{id}", self._handler(self._remove_by_id), methods=["DELETE"]),
        ]

    async def _show(self, request: Request) -> OverrideDocument:
        return await self._admin.show()

    def _apply(self, change: type[PostureChange | ListingChange | ListingRemoval]) -> Handler:
        async def apply(request: Request) -> OverrideDocument:
            return await change_from(change, await read_json(request)).apply(self._admin)

        return apply

    async def _remove_by_id(self, request: Request) -> OverrideDocument:
        overrides = await self._admin.show()
        listing = listing_by_id(overrides, request.path_params["id"], self._key)
        return await self._admin.remove_listing(listing)

    def _handler(self, work: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            try:
                await self._auth.check_program(request)
                found = await work(request)
                document = isinstance(found, OverrideDocument)
                return JSONResponse(self._to_json(found) if document else found)
            except IntakeError as error:
                reply = unreadable(error)
                if error.status == 401:
                    reply.headers["www-authenticate"] = "Bearer"
                return reply
            except PolicyError as error:
                detail = f"{error.path}: expected {error.expected}"
                return Problem(422, "bad-override", "Bad override", detail, path=error.path)
            except StoreError:
                return Problem(503, "store-away", "Unknown", AWAY)

        return answer

    def _to_json(self, overrides: OverrideDocument) -> dict[str, Any]:
        table = overrides.to_json(self._admin.now())
        for entry, listing in zip(table["listings"], overrides.listings, strict=True):
            entry["id"] = listing_id(listing, self._key)
            entry["shown"] = masked_listing(listing)
        masked: dict[str, Any] = _masked(table)
        return masked


def _masked(value: Any) -> Any:
    """JSON with personal data masked in what people have written."""
    match value:
        case dict():
            return {
                name: masked_text(each) if name in ("author", "reason") else _masked(each)
                for name, each in value.items()
            }
        case list():
            return [_masked(each) for each in value]
    return value
