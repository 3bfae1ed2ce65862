"""Flask under WSGI, and a blueprint for the prefix."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, Flask, request
from flask_cors import CORS

from pumpguard.wsgi import PumpGuardWSGI
from tests.frameworks.cors import with_cors_in_front
from tests.frameworks.guarded import CORS_BEHIND, guard, send_sms

flask, api = Flask(__name__), Blueprint("api", __name__, url_prefix="/api")
if CORS_BEHIND:
    CORS(flask)


@flask.post("/otp/send")
@api.post("/otp/send")
def send() -> tuple[dict[str, str], int]:
    return sent(request.get_json())


def sent(ask: Mapping[str, str]) -> tuple[dict[str, str], int]:
    phone, note = ask["phone"], ask["note"]
    return {"to": phone, "note": note, **send_sms(phone, note)}, 202


@flask.post("/otp/form")
def form() -> tuple[dict[str, str], int]:
    return sent(request.form)


@flask.post("/otp/stream")
def stream() -> tuple[dict[str, int], int]:
    size = 0
    while chunk := request.stream.read(1_000):
        size += len(chunk)
    return {"bytes": size}, 202


@flask.post("/people/<phone>/code")
def person(phone: str) -> tuple[dict[str, str], int]:
    return {"to": phone, **send_sms(phone, "")}, 202


@flask.post("/otp/fails")
def fails() -> str:
    raise RuntimeError("a bug of this app")


@flask.post("/otp/verify")
def verify() -> dict[str, str]:
    return {"verified": request.get_json()["phone"]}


@flask.get("/health")
def health() -> dict[str, str]:
    return {"status": "well"}


flask.register_blueprint(api)
app = with_cors_in_front(PumpGuardWSGI(flask, guard=guard))
