"""What only a simulation may look at: handsets, and the provider's ledger."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, Response

from examples.target_app.clock import Clock
from examples.target_app.http import problem
from examples.target_app.mobile_operator import MobileOperator
from examples.target_app.numbering import e164
from examples.target_app.sms_provider import SmsProvider

PAGE = 10_000


def simulation_routes(operator: MobileOperator, provider: SmsProvider, clock: Clock) -> APIRouter:
    """Windows into the simulated world."""
    router = APIRouter(prefix="/sim", tags=["simulation"])

    @router.get("/inbox/{phone}")
    async def inbox(phone: str) -> Response:
        number = e164(phone)
        if number is None:
            return problem(422, "Invalid phone", "Give a phone number like +44….")
        return JSONResponse({"messages": [asdict(s) for s in operator.inbox(number, clock())]})

    @router.get("/messages")
    async def messages(
        since: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=1, le=PAGE)] = PAGE,
    ) -> Response:
        page = provider.messages(since, limit)
        following = page[-1].id + 1 if page else since
        return JSONResponse({"messages": [asdict(m) for m in page], "next": following})

    return router
