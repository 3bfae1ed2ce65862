"""Starlette: nothing but its request."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from pumpguard import PumpGuardMiddleware
from tests.frameworks.guarded import CORS_BEHIND, guard, send_sms


async def send(request: Request) -> JSONResponse:
    ask = await request.json()
    return JSONResponse({"to": ask["phone"], "note": ask["note"], **sent(ask)}, 202)


def sent(ask: dict[str, str]) -> dict[str, str]:
    return send_sms(ask["phone"], ask["note"])


async def form(request: Request) -> JSONResponse:
    async with request.form() as form:
        ask = {name: str(form[name]) for name in ("phone", "note")}
    return JSONResponse({"to": ask["phone"], "note": ask["note"], **sent(ask)}, 202)


async def stream(request: Request) -> JSONResponse:
    return JSONResponse({"bytes": sum([len(chunk) async for chunk in request.stream()])}, 202)


def person(request: Request) -> JSONResponse:
    phone = request.path_params["phone"]
    return JSONResponse({"to": phone, **send_sms(phone, "")}, 202)


async def fails(request: Request) -> JSONResponse:
    raise RuntimeError("a bug of this app")


async def verify(request: Request) -> JSONResponse:
    return JSONResponse({"verified": (await request.json())["phone"]})


def health(request: Request) -> JSONResponse:
    return JSONResponse({"status": "well"})


POST, ANY = ["POST"], ["*"]
cors = Middleware(CORSMiddleware, allow_origins=ANY, allow_methods=ANY, allow_headers=ANY)
app = Starlette(
    routes=[
        Route("/otp/send", send, methods=POST),
        Mount("/api", routes=[Route("/otp/send", send, methods=POST)]),
        Route("/otp/form", form, methods=POST),
        Route("/otp/stream", stream, methods=POST),
        Route("/people/{phone}/code", person, methods=POST),
        Route("/otp/fails", fails, methods=POST),
        Route("/otp/verify", verify, methods=POST),
        Route("/health", health),
    ],
    middleware=[Middleware(PumpGuardMiddleware, guard=guard), *([cors] if CORS_BEHIND else [])],
)
