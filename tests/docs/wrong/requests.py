"""Routes, fields and proxies that do not fit the app: what a guard says once it is asked."""

from __future__ import annotations

from functools import partial
from typing import Any

from pumpguard.intake.fields import Fields
from tests.asgi import FORM, Reply
from tests.docs.wrong.app import App
from tests.docs.wrong.stage import Request, Stage, WrongSetup, asked, json_of, phone

routes = partial(asked, "routes")
fields = partial(asked, "fields")
proxies = partial(asked, "proxies")

POLICY = 'Policy(send="/otp/send")'
FORWARDED = {"x-forwarded-for": "198.51.100.9"}


def nested(n: int) -> bytes:
    """The number in an object."""
    return json_of(user={"phone": phone(n)})


def form(n: int) -> bytes:
    """The number in a form."""
    return f"phone=%2B{phone(n)[1:]}".encode()


def national(n: int) -> bytes:
    """The number as people write it at home."""
    return json_of(phone="0" + phone(n)[3:])


def by_text(n: int) -> bytes:
    """The number, and how the code is sent."""
    return json_of(phone=phone(n), channel="sms")


def ours(n: int) -> bytes:
    """The app's own number stands beside the user's."""
    return json_of(phone=phone(n), **{"from": "+447400100100"})


def number_of(fields: Fields) -> Any:
    """A function of the policy that expects another body."""
    return fields.json["user"]["phone"]  # type: ignore[index]


async def websocket(stage: Stage) -> Request:
    """The app is asked by a websocket."""
    behind = stage.guarded(App().app, stage.Policy(send="/otp/send"))

    async def ask(n: int) -> Reply:
        reply = Reply()
        waiting = [{"type": "websocket.connect"}]

        async def receive() -> Any:
            return waiting.pop()

        scope = {"type": "websocket", "path": "/otp/send", "headers": [], "subprotocols": []}
        await behind(scope, receive, reply.send)
        reply.messages.clear()
        return reply

    return ask


ASKED: list[WrongSetup] = [
    routes(POLICY, "PG070", "its router has the prefix `/v1`",
           partial(App, "/v1/otp/send"), path="/v1/otp/send"),
    routes(POLICY, "PG070", "the app sends at `/sms`", partial(App, "/sms"), path="/sms"),
    routes('Policy(send="GET /otp/send")', "PG070", "clients use POST"),
    routes('Policy(send="/otp/send", verify="/verify")', "PG070",
           "codes are entered at `/otp/verify`", path="/otp/verify"),
    WrongSetup("routes", f"`{POLICY}`; clients open a websocket", "PG077", websocket),
    fields('Policy(send="/otp/send", phone="mobile")', "PG072", "clients send `phone`"),
    fields(POLICY, "PG072", 'clients send `{"user": {"phone": …}}`', body=nested),
    fields('Policy(send="/otp/send", phone="json:phone")', "PG072", "clients send a form",
           body=form, content_type=FORM),
    fields('Policy(send="/otp/send", phone="header:x-phone")', "PG072", "clients send JSON"),
    fields(POLICY, "PG072", "clients send `07400 …`, without `region`", body=national),
    fields('Policy(send="/otp/send", phone=number_of)', "PG021",
           "`number_of` expects another body", names={"number_of": number_of}),
    fields('Policy(send="/otp/send", when="json:channel == \'text\'")', "PG084",
           'clients send `"sms"`', body=by_text),
    fields('Policy(send="/otp/send", phone="mobile", phone_optional=True)', "PG084",
           "clients send `phone`"),
    fields('Policy(send="/otp/send", session="cookie:sid")', "PG083",
           "the app's cookie is `session`", headers={"cookie": "session=1"}),
    fields('Policy(send="/otp/send", dimensions={"tenant": "header:x-tenant"})', "PG083",
           "no client sends it"),
    fields('Policy(send="/otp/send", phone="from")', "PG093",
           "that is the number the app sends from", body=ours),
    fields('Policy(send="/otp/send", session="header:x-app")', "PG093",
           "that is the client's version", headers={"x-app": "ios 1.2"}),
    fields('Policy(send="/otp/send", rules={"number": {"only_regions": ["FR"]}})', "PG094",
           "users live in GB"),
    proxies(POLICY, "PG074", "behind a load balancer in `10.0.0.0/8`",
            client=("10.0.3.17", 1), headers=FORWARDED),
    proxies(POLICY, "PG074", "behind a proxy with a public address",
            client=("8.8.4.4", 1), headers=FORWARDED),
    proxies(POLICY, "PG074", "uvicorn with `--forwarded-allow-ips='*'`",
            client=("8.8.4.4", 0), headers=FORWARDED),
    proxies('Policy(send="/otp/send", proxies=["10.0.0.0/8"])', "PG088",
            "the proxy sends `X-Real-IP`", client=("10.0.3.17", 1),
            headers={"x-real-ip": "198.51.100.9"}),
    proxies(POLICY, "PG092", "behind a NAT of the cluster's nodes, which names nobody",
            client=("10.0.3.17", 1)),
    proxies(POLICY, "PG073", "behind nginx on a Unix socket", client=(), headers=FORWARDED),
]  # fmt: skip
