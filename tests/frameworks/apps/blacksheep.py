"""BlackSheep: the guard around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from blacksheep import Application, FromForm, FromJSON, Request, Response, json
from blacksheep.server.routing import Router

from pumpguard import PumpGuardMiddleware
from tests.frameworks.guarded import CORS_BEHIND, guard, send_sms


@dataclass
class Ask:
    phone: str
    note: str = ""


def sent(ask: Ask) -> Response:
    return json({"to": ask.phone, "note": ask.note, **send_sms(ask.phone, ask.note)}, 202)


def add(app: Application, path: str) -> None:
    """The routes; they are registered on this app alone."""
    router = app.router

    @router.post(f"{path}/otp/send")
    def send(data: FromJSON[Ask]) -> Response:
        return sent(data.value)


app_ = Application(router=Router())
for prefix in ("", "/api"):
    add(app_, prefix)


@app_.router.post("/otp/form")
async def form(data: FromForm[Ask]) -> Response:
    return sent(data.value)


@app_.router.post("/otp/stream")
async def stream(request: Request) -> Response:
    stream: Any = request.stream()
    return json({"bytes": sum([len(chunk) async for chunk in stream])}, 202)


@app_.router.post("/people/{phone}/code")
async def person(phone: str) -> Response:
    return json({"to": phone, **send_sms(phone, "")}, 202)


@app_.router.post("/otp/fails")
async def fails() -> Response:
    raise RuntimeError("a bug of this app")


@app_.router.post("/otp/verify")
async def verify(data: FromJSON[Ask]) -> Response:
    return json({"verified": data.value.phone})


@app_.router.get("/health")
def health() -> Response:
    return json({"status": "well"})


if CORS_BEHIND:
    app_.use_cors(allow_origins="*", allow_methods="*", allow_headers="*")
app = PumpGuardMiddleware(app_, guard=guard)
