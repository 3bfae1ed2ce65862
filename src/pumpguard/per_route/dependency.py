"""FastAPI's ``Depends(guard.protect(…))``."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from typing import Any

from fastapi import Depends, HTTPException, Request
from starlette.responses import Response
from starlette.types import Scope

from pumpguard.decision import Decision
from pumpguard.guard import Guard
from pumpguard.per_route import Call, RouteGuard, check_fields
from pumpguard.per_route.answers import Refusal, starlette_response
from pumpguard.shadow.carry import current_decision
from pumpguard.shadow.current import CurrentRequest, current_request


class Refused(HTTPException):
    """Ends the request with the guard's answer."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.status, refusal.body.decode(), dict(refusal.headers))
        self.refusal = refusal


async def _answered(request: Request, error: Refused) -> Response:
    return starlette_response(error.refusal)


class Endpoint:
    """The endpoint, which FastAPI itself runs while the guard waits for its end."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.begun: asyncio.Future[CurrentRequest | None] = loop.create_future()
        self.ended: asyncio.Future[int] = loop.create_future()

    async def __call__(self) -> int:
        self.begun.set_result(current_request.get())
        return await self.ended


def dependency(
    guard: Guard, phone: Callable[..., object], facts: Mapping[str, Callable[..., object]]
) -> Callable[..., AsyncIterator[Decision | None]]:
    """See `Guard.protect`. ``phone`` and ``facts`` are dependencies themselves."""
    check_fields(guard, phone, facts)
    route = RouteGuard(guard)

    async def protect(
        request: Request, pumpguard_phone: object, **given: object
    ) -> AsyncIterator[Decision | None]:
        endpoint = Endpoint()
        known = {name: partial(_same, value) for name, value in given.items()}
        call = Call(partial(_same, pumpguard_phone), known, endpoint, int)
        running = asyncio.create_task(route.run(call, request.scope))
        await asyncio.wait({running, endpoint.begun}, return_when=asyncio.FIRST_COMPLETED)
        if not endpoint.begun.done():
            _know(request.scope)
            raise Refused(await running)
        token = current_request.set(endpoint.begun.result())
        try:
            yield current_decision()
        except Exception as error:
            endpoint.ended.set_result(getattr(error, "status_code", 500))
            raise
        finally:
            current_request.reset(token)
            if not endpoint.ended.done():
                endpoint.ended.set_result(200)
            await running

    parameters = [inspect.Parameter("request", inspect.Parameter.KEYWORD_ONLY, annotation=Request)]
    for name, read in {"pumpguard_phone": phone, **facts}.items():
        kind = inspect.Parameter.KEYWORD_ONLY
        parameters.append(inspect.Parameter(name, kind, annotation=object, default=Depends(read)))
    protect.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return protect


def _know(scope: Scope) -> None:
    """Have the app answer `Refused` as it stands. Without that, its usual answer has the same
    status, and the problem as its detail."""
    handlers: Any = scope.get("starlette.exception_handlers")
    if handlers is not None:
        handlers[0].setdefault(Refused, _answered)


def _same(value: object) -> object:
    return value
