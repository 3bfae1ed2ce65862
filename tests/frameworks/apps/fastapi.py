"""FastAPI: parsed models, a mounted app, plain and async endpoints."""

from __future__ import annotations

from typing import Annotated

from fastapi import FastAPI, Form, Request
from fastapi.middleware.cors import CORSMiddleware
from pydantic import BaseModel

from pumpguard import PumpGuardMiddleware
from tests.frameworks.guarded import CORS_BEHIND, guard, send_sms


class Ask(BaseModel):
    phone: str
    note: str = ""


app, api = FastAPI(), FastAPI()
app.mount("/api", api)
ANY = ["*"]
if CORS_BEHIND:
    app.add_middleware(CORSMiddleware, allow_origins=ANY, allow_methods=ANY, allow_headers=ANY)
app.add_middleware(PumpGuardMiddleware, guard=guard)


@app.post("/otp/send", status_code=202)
@api.post("/otp/send", status_code=202)
def send(ask: Ask) -> dict[str, str]:
    return {"to": ask.phone, "note": ask.note, **send_sms(ask.phone, ask.note)}


@app.post("/otp/form", status_code=202)
async def form(phone: Annotated[str, Form()], note: Annotated[str, Form()]) -> dict[str, str]:
    return {"to": phone, "note": note, **send_sms(phone, note)}


@app.post("/otp/stream", status_code=202)
async def stream(request: Request) -> dict[str, int]:
    return {"bytes": sum([len(chunk) async for chunk in request.stream()])}


@app.post("/people/{phone}/code", status_code=202)
async def person(phone: str) -> dict[str, str]:
    return {"to": phone, **send_sms(phone, "")}


@app.post("/otp/fails")
async def fails(ask: Ask) -> None:
    raise RuntimeError("a bug of this app")


@app.post("/otp/verify")
async def verify(ask: Ask) -> dict[str, str]:
    return {"verified": ask.phone}


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "well"}
