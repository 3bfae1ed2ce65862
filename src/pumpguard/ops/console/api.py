"""The same switches for programs: JSON, the token in a header, problems with exact paths."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pumpguard.errors import IntakeError, PolicyError, StoreError
from pumpguard.guard import Guard
from pumpguard.ops.console.asking import read_json
from pumpguard.ops.console.discreet import discreet, listed
from pumpguard.ops.console.door import Door
from pumpguard.ops.console.naming import found, named
from pumpguard.ops.console.orders import ListingWanted, PostureWanted, RemovalWanted, wanted
from pumpguard.orders.document import Orders
from pumpguard.orders.telling import as_json
from pumpguard.replies import Problem, unreadable

Handler = Callable[[Request], Awaitable[Orders]]

AWAY = "The store did not answer: what was ordered may or may not stand. Ask GET api/orders."


class Api:
    """The routes under ``api/``. Every answer is all that stands then."""

    def __init__(self, guard: Guard, door: Door) -> None:
        self._desk = guard.orders
        self._key = guard.policy.secret
        self._door = door

    def routes(self) -> list[Route]:
        """What there is."""
        return [
            Route("/api/orders", self._answering(self._show), methods=["GET"]),
            Route("/api/posture", self._answering(self._posture), methods=["POST"]),
            Route("/api/lists", self._answering(self._add), methods=["POST"]),
            Route("/api/lists", self._answering(self._remove), methods=["DELETE"]),
            Route("/api/lists/{id}", self._answering(self._strike), methods=["DELETE"]),
        ]

    async def _show(self, request: Request) -> Orders:
        return await self._desk.show()

    async def _posture(self, request: Request) -> Orders:
        return await wanted(PostureWanted, await read_json(request)).give(self._desk)

    async def _add(self, request: Request) -> Orders:
        return await wanted(ListingWanted, await read_json(request)).give(self._desk)

    async def _remove(self, request: Request) -> Orders:
        return await wanted(RemovalWanted, await read_json(request)).give(self._desk)

    async def _strike(self, request: Request) -> Orders:
        orders = await self._desk.show()
        return await self._desk.strike(found(orders, request.path_params["id"], self._key))

    def _answering(self, work: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            try:
                await self._door.check_program(request)
                return JSONResponse(self._told(await work(request)))
            except IntakeError as error:
                reply = unreadable(error)
                if error.status == 401:
                    reply.headers["www-authenticate"] = "Bearer"
                return reply
            except PolicyError as error:
                detail = f"{error.path}: expected {error.expected}"
                return Problem(422, "bad-order", "Bad order", detail, path=error.path)
            except StoreError:
                return Problem(503, "store-away", "Unknown", AWAY)

        return answer

    def _told(self, orders: Orders) -> dict[str, Any]:
        told = as_json(orders, self._desk.now())
        for entry, listing in zip(told["listings"], orders.listings, strict=True):
            entry["id"] = named(listing, self._key)
            entry["shown"] = listed(listing)
        kept: dict[str, Any] = _written(told)
        return kept


def _written(told: Any) -> Any:
    """The same, with what people have written made discreet."""
    match told:
        case dict():
            return {
                name: discreet(said) if name in ("author", "reason") else _written(said)
                for name, said in told.items()
            }
        case list():
            return [_written(each) for each in told]
    return told
