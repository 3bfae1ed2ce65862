"""Sanic behind an ASGI server, with the guard around it; a blueprint for the prefix."""

from __future__ import annotations

from typing import Any

from sanic import Blueprint, Request, Sanic
from sanic.response import HTTPResponse, json
from sanic_ext import Extend

from pumpguard import PumpGuardMiddleware
from tests.frameworks.guarded import CORS_BEHIND, guard, send_sms

sanic, api = Sanic("suite"), Blueprint("api", url_prefix="/api")


@sanic.post("/otp/send", name="send")
@api.post("/otp/send", name="send")
async def send(request: Request[Any, Any]) -> HTTPResponse:
    return sent(request.json)


def sent(ask: Any) -> HTTPResponse:
    phone, note = ask["phone"], ask["note"]
    return json({"to": phone, "note": note, **send_sms(phone, note)}, 202)


@sanic.post("/otp/form")
async def form(request: Request[Any, Any]) -> HTTPResponse:
    fields: Any = request.form
    return sent({name: fields.get(name) for name in ("phone", "note")})


async def size(stream: Any) -> int:
    return sum([len(chunk) async for chunk in stream])


@sanic.post("/otp/stream", stream=True)
async def stream(request: Request[Any, Any]) -> HTTPResponse:
    return json({"bytes": await size(request.stream)}, 202)


@sanic.post("/people/<phone>/code", unquote=True)
async def person(request: Request[Any, Any], phone: str) -> HTTPResponse:
    return json({"to": phone, **send_sms(phone, "")}, 202)


@sanic.post("/otp/fails")
async def fails(request: Request[Any, Any]) -> HTTPResponse:
    raise RuntimeError("a bug of this app")


@sanic.post("/otp/verify")
async def verify(request: Request[Any, Any]) -> HTTPResponse:
    return json({"verified": request.json["phone"]})


@sanic.get("/health")
async def health(request: Request[Any, Any]) -> HTTPResponse:
    return json({"status": "well"})


sanic.blueprint(api)
sanic.config.CORS, sanic.config.CORS_ORIGINS = CORS_BEHIND, "*"
Extend(sanic)
app = PumpGuardMiddleware(sanic, guard=guard)
