"""Litestar: the guard around the whole app, because a middleware is built anew for every route."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import Litestar, Request, Router, get, post
from litestar.config.cors import CORSConfig

from pumpguard import PumpGuardMiddleware
from tests.frameworks.guarded import CORS_BEHIND, guard, send_sms


@dataclass
class Ask:
    phone: str
    note: str = ""


@post("/otp/send", status_code=202, sync_to_thread=True)
def send(data: Ask) -> dict[str, str]:
    return {"to": data.phone, "note": data.note, **send_sms(data.phone, data.note)}


@post("/otp/form", status_code=202)
async def form(request: Request[Any, Any, Any]) -> dict[str, str]:
    data = await request.form()
    return {"to": data["phone"], "note": data["note"], **send_sms(data["phone"], data["note"])}


@post("/otp/stream", status_code=202)
async def stream(request: Request[Any, Any, Any]) -> dict[str, int]:
    return {"bytes": sum([len(chunk) async for chunk in request.stream()])}


@post("/people/{phone:str}/code", status_code=202)
async def person(phone: str) -> dict[str, str]:
    return {"to": phone, **send_sms(phone, "")}


@post("/otp/fails")
async def fails(data: Ask) -> None:
    raise RuntimeError("a bug of this app")


@post("/otp/verify", status_code=200)
async def verify(data: Ask) -> dict[str, str]:
    return {"verified": data.phone}


@get("/health")
async def health() -> dict[str, str]:
    return {"status": "well"}


api = Router("/api", route_handlers=[send])
app = PumpGuardMiddleware(
    Litestar(
        [send, api, form, stream, person, fails, verify, health],
        cors_config=CORSConfig() if CORS_BEHIND else None,
    ),
    guard=guard,
)
