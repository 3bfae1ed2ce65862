"""What is refused where it is made."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

from flask import Flask
from redis.asyncio import Redis

from pumpguard import Guard, PumpGuardMiddleware, sender
from pumpguard.challenges import Altcha
from pumpguard.intake.network import MaxMindNetworks
from pumpguard.wsgi import PumpGuardWSGI
from tests.docs.wrong.app import App
from tests.docs.wrong.stage import WrongSetup, refused


async def later(*_: Any) -> Any:
    """A coroutine function where a plain one belongs."""


def send_sms(phone: str) -> str:
    """What sends."""
    return phone


NAMES: dict[str, Any] = {
    "Guard": Guard, "Altcha": Altcha, "MaxMindNetworks": MaxMindNetworks, "Redis": Redis,
    "time": time, "later": later, "sender": sender, "send_sms": send_sms, "asgi": App().app,
    "flask": Flask("shop"), "PumpGuardMiddleware": PumpGuardMiddleware,
    "PumpGuardWSGI": PumpGuardWSGI,
}  # fmt: skip

routes = partial(refused, "routes", names=NAMES)
fields = partial(refused, "fields", names=NAMES)
proxies = partial(refused, "proxies", names=NAMES)
verify = partial(refused, "verify", names=NAMES)
senders = partial(refused, "senders", names=NAMES)
loops = partial(refused, "workers and loops", names=NAMES)
stores = partial(refused, "stores", names=NAMES)
secrets = partial(refused, "secrets", names=NAMES)
rules = partial(refused, "rules and money", names=NAMES)
challenges = partial(refused, "challenges and data", names=NAMES)

REFUSED: list[WrongSetup] = [
    routes('Policy(send="/otp/<phone>")', "send"),
    routes('Policy(send="/otp/:id/send")', "send"),
    routes('Policy(send="otp/send")', "send"),
    routes('Policy(send="https://example.com/otp/send")', "send"),
    routes('Policy(send="post /otp/send")', "send"),
    routes('Policy(send="/otp/send*")', "send"),
    routes('Policy(send=["/otp/send", "/otp/send/"])', "send.1"),
    routes('Policy(send="/otp", verify="/otp")', "verified_when"),
    fields('Policy(send="/otp/send", phone="path:phone")', "phone"),
    fields('Policy(send="/otp/send", phone="body:phone")', "phone"),
    fields('Policy(send="/otp/send", when=later)', "when"),
    fields('Policy(send="/otp/send", region="UK")', "region"),
    proxies('Policy(send="/otp/send", proxies=["*"])', "proxies.0"),
    proxies('Policy(send="/otp/send", proxies=["0.0.0.0/0"])', "proxies.0"),
    proxies('Policy(send="/otp/send", proxies=["10.0.0.1/8"])', "proxies.0"),
    proxies('Policy(send="/otp/send", proxy_header="X-Forwarded-For:")', "proxy_header"),
    verify('Policy(send="/otp/send", verified_when="303")', "verified_when"),
    verify('Policy(send="/otp/send", verify="/v", verified_when="ok == true")', "verified_when"),
    verify('Policy(send="/otp/send", verify="/v", verified_when=later)', "verified_when"),
    verify('Policy(send="/otp/send", verify="/v", flow="body:id")', "flow"),
    senders("sender(sender(send_sms))", "send"),
    senders("sender(send_sms('+44…'))  # called, not passed", "send"),
    senders('Policy(send="/otp/send", sent_when="sent")', "sent_when"),
    loops('PumpGuardMiddleware(flask.wsgi_app, Policy(send="/otp/send"))', "app"),
    loops('PumpGuardWSGI(asgi, Policy(send="/otp/send"))  # FastAPI, Starlette', "app"),
    loops('Guard(Policy(send="/otp/send"), on_decision=later)', "on_decision"),
    loops('Guard(Policy(send="/otp/send"), on_alert=later)', "on_alert"),
    loops('Guard(Policy(send="/otp/send"), on_refusal=lambda decision: page)', "on_refusal"),
    loops('Guard(Policy(send="/otp/send"), clock=lambda: time.time() * 1000)', "clock"),
    stores('Guard(Policy(send="/otp/send"), None)  # os.environ.get("REDIS_URL")', "store"),
    stores('Guard(Policy(send="/otp/send"), "localhost:6379")', "store"),
    stores('Guard(Policy(send="/otp/send"), Redis())', "store"),
    stores('Policy(send="/otp/send", deadline=50)  # meant: 50 ms', "deadline"),
    stores('Guard({"send": "/otp/send"}, "memory://")', "policy"),
    secrets('Policy(send="/otp/send", secret="abc")', "secret"),
    secrets('Guard(Policy(send="/otp/send"), challenge=Altcha(Policy(send="/s")))', "secret"),
    rules('Policy(send="/otp/send", home=["UK"])', "home.0"),
    rules('Policy.func.from_toml("snd = \'/otp/send\'\\n")', "snd"),
    rules('Policy(send="/otp/send", rules={"phone_limt": {"mode": "off"}})', "rules.phone_limt"),
    rules('Policy(send="/otp/send", rules={"phone_limit": {"limits": "4 a day"}})',
          "rules.phone_limit.limits"),
    rules('Policy(send="/otp/send", rules=send_sms)', "rules"),
    rules('Policy(send="/otp/send", prices="rates.csv")  # not there', "prices"),
    challenges('Guard(Policy(send="/otp/send"), challenge=Altcha)', "challenge"),
    challenges('MaxMindNetworks(country="GeoLite2-Country.mmdb")  # not there',
               "networks.country"),
]  # fmt: skip
