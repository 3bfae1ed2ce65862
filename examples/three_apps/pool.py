"""A login for a mobile app, that sends by Twilio's synchronous client: in a pool, and a resend in a
thread that nobody waits for. A wrong code is answered with 200."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from threading import Thread

import phonenumbers
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel
from twilio.rest import Client
from twilio.rest.api.v2010.account.message import MessageInstance

from pumpguard import Guard, Policy, PumpGuardMiddleware, like, sender

POLICY = Policy(
    send=["/api/v1/login", "/api/v1/login/resend"],
    verify="/api/v1/login/confirm",
    phone="msisdn",
    code="prefix",
    verified_when="json:valid == true",
    home=["GB", "IE", "FR", "DE", "US"],
    daily_budget=600,
    proxies=["127.0.0.0/8"],
    secret="a secret of at least sixteen characters",
)


class Login(BaseModel):
    """Who wants a code."""

    msisdn: str
    prefix: str = ""


class Pin(BaseModel):
    """A code that somebody has typed."""

    msisdn: str
    pin: str


def e164(login: Login) -> str:
    """The number that is sent to."""
    text = f"+{login.prefix.lstrip('+')}{login.msisdn}" if login.prefix else login.msisdn
    text = "+" + text[2:] if text.startswith("00") else text
    try:
        found = phonenumbers.parse(text)
    except phonenumbers.NumberParseException as error:
        raise HTTPException(422, "no such number") from error
    return phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164)


def create_app(client: Client, guard: Guard) -> FastAPI:
    """The app, with Twilio's client."""
    pins: dict[str, str] = {}
    pool = ThreadPoolExecutor(8)

    def text(phone: str, pin: str) -> MessageInstance:
        return client.messages.create(to=phone, from_="+15005550006", body=f"Your code is {pin}")

    send_pin = sender(text, shadowed=like({"sid": "SM{hex:32}", "status": "queued"}))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        pool.shutdown()

    app = FastAPI(lifespan=lifespan)
    app.add_middleware(PumpGuardMiddleware, guard=guard)

    def new_pin(phone: str) -> str:
        pins[phone] = f"{secrets.randbelow(10**6):06}"
        return pins[phone]

    @app.post("/api/v1/login")
    async def login(asked: Login) -> dict[str, str | None]:
        phone = e164(asked)
        loop = asyncio.get_running_loop()
        message = await loop.run_in_executor(pool, send_pin, phone, new_pin(phone))
        return {"sid": message.sid, "status": message.status}

    @app.post("/api/v1/login/resend", status_code=202)
    def resend(asked: Login) -> None:
        phone = e164(asked)
        Thread(target=send_pin, args=(phone, new_pin(phone))).start()

    @app.post("/api/v1/login/confirm")
    def confirm(typed: Pin) -> dict[str, bool]:
        phone = "+" + typed.msisdn  # the app sends it without
        valid = pins.get(phone) == typed.pin
        if valid:
            del pins[phone]
        return {"valid": valid}

    return app
