"""The app's own business: send a code to a phone, and check it."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from examples.target_app.books import Bill
from examples.target_app.codes import LIFETIME, Codes
from examples.target_app.http import UnreadableBodyError, problem, read_fields
from examples.target_app.numbering import e164
from examples.target_app.sms_provider import ImpossibleNumberError, Message
from pumpguard import current_decision

RESEND_IN = 60
SendSms = Callable[[str, str], Awaitable[Message | None]]
"""Sends a text to a phone; ``None`` says that the guard kept it back."""


def otp_routes(codes: Codes, send_sms: SendSms, bill: Bill) -> APIRouter:
    """The two calls that every sign-up page makes."""
    router = APIRouter(prefix="/otp", tags=["otp"])

    @router.post("/send", status_code=202)
    async def send(request: Request) -> Response:
        phone = await _phone_to_send_to(request)
        if phone is None:
            return _invalid_phone()
        try:
            message = await send_sms(phone, _text(codes.issue(phone)))
        except ImpossibleNumberError:
            codes.forget(phone)
            return _invalid_phone()
        if message is not None:
            bill.add(message.country, message.price)
        return JSONResponse(_sent(), status_code=202)

    @router.post("/verify")
    async def verify(request: Request) -> Response:
        fields = await _fields(request)
        # Here "code" is the one-time code; a number in two parts is for sending only.
        phone = e164(fields.get("phone", ""))
        if phone is None:
            return _invalid_phone()
        if codes.redeem(phone, fields.get("code", "").strip()):
            return JSONResponse({"status": "verified"})
        return JSONResponse({"status": "invalid"}, status_code=400)

    return router


async def _phone_to_send_to(request: Request) -> str | None:
    # The guard has read the number already: what was counted is what is sent to.
    decision = current_decision()
    if decision is not None:
        return decision.attempt.phone.e164
    fields = await _fields(request)
    return e164(fields.get("phone", ""), fields.get("code", ""))


async def _fields(request: Request) -> dict[str, str]:
    try:
        return await read_fields(request)
    except UnreadableBodyError:
        return {}


def _text(code: str) -> str:
    return f"Your code is {code}. It is valid for {LIFETIME // 60} minutes."


def _sent() -> dict[str, object]:
    return {
        "status": "sent",
        "request_id": secrets.token_hex(8),
        "expires_in": LIFETIME,
        "resend_in": RESEND_IN,
    }


def _invalid_phone() -> Response:
    return problem(422, "Invalid phone", "Give a phone number with its country code, like +44….")
