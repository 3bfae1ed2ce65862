"""Quart: the guard around its ASGI app, and a blueprint for the prefix."""

from __future__ import annotations

from typing import Any

from quart import Blueprint, Quart, request
from quart_cors import cors

from pumpguard import PumpGuardMiddleware
from tests.frameworks.guarded import CORS_BEHIND, guard, send_sms

app, api = Quart(__name__), Blueprint("api", __name__, url_prefix="/api")


@app.post("/otp/send")
@api.post("/otp/send")
async def send() -> tuple[dict[str, str], int]:
    return sent(await request.get_json())


def sent(ask: Any) -> tuple[dict[str, str], int]:
    answer = {"to": ask["phone"], "note": ask["note"], **send_sms(ask["phone"], ask["note"])}
    return answer, 202


@app.post("/otp/form")
async def form() -> tuple[dict[str, str], int]:
    return sent(await request.form)


@app.post("/otp/stream")
async def stream() -> tuple[dict[str, int], int]:
    return {"bytes": sum([len(chunk) async for chunk in request.body])}, 202


@app.post("/people/<phone>/code")
async def person(phone: str) -> tuple[dict[str, str], int]:
    return {"to": phone, **send_sms(phone, "")}, 202


@app.post("/otp/fails")
async def fails() -> str:
    raise RuntimeError("a bug of this app")


@app.post("/otp/verify")
async def verify() -> dict[str, str]:
    return {"verified": (await request.get_json())["phone"]}


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "well"}


app.register_blueprint(api)
if CORS_BEHIND:
    cors(app, allow_origin="*")
app.asgi_app = PumpGuardMiddleware(app.asgi_app, guard=guard)  # type: ignore
