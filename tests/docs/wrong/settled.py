"""Codes that are entered, and messages that are sent: what a guard believes of both."""

from __future__ import annotations

from functools import partial
from typing import Any

from starlette.responses import JSONResponse, RedirectResponse, Response

from pumpguard import Action, Attempt, Finding, sender
from tests.asgi import Reply
from tests.docs.wrong.app import App
from tests.docs.wrong.stage import Request, Stage, Traffic, WrongSetup, asked, json_of, phone

verify = partial(asked, "verify")
senders = partial(asked, "senders")

ENTERED: dict[str, Any] = {"path": "/otp/verify"}


def known_otherwise(n: int) -> bytes:
    """The number under another name."""
    return json_of(mobile=phone(n), code="123456")


def by_flow(n: int) -> bytes:
    """What the app knows the number by."""
    return json_of(flow=f"f{n}", code="123456")


def encoded() -> Response:
    """A success that a proxy in the app has compressed in its own way."""
    return Response(b"\x0b\x02\x80", headers={"content-encoding": "br"})


def quiet(attempt: Attempt) -> Finding:
    """A rule that shadows all."""
    return Finding("quiet", Action.SHADOW, "QUIET")


async def silent(stage: Stage) -> Request:
    """Fifty messages go out, and all who enter their code do it at another route."""
    app = App(verify="/otp/check")
    policy = stage.Policy(send="/otp/send", verify="/otp/verify", home=["GB"])
    behind = stage.guarded(app.app, policy)
    send = Traffic(behind)

    async def ask(n: int) -> Reply:
        stage.clock.advance(30)
        return await send(n)

    return ask


class Message:
    """What a provider's client returns, which nothing can be made like."""


def fails(status: int) -> bool:
    """A function of the policy that has a bug."""
    raise KeyError(status)


SETTLED: list[WrongSetup] = [
    verify('Policy(send="/otp/send", verify="/otp/verify")', "PG024", "success is a 303",
           partial(App, verified=lambda: RedirectResponse("/home", 303)), **ENTERED),
    verify('Policy(send="/otp/send", verify="/otp/verify")', "PG024",
           "the verify request has the number in `mobile`", body=known_otherwise, **ENTERED),
    verify('Policy(send="/otp/send", verify="/otp/verify", flow="json:flow_id")', "PG024",
           "it is `flow`", body=by_flow, **ENTERED),
    verify('Policy(send="/otp/send", verify="/otp/verify", verified_when="json:ok == true")',
           "PG024", "the answer is compressed with brotli", partial(App, verified=encoded),
           **ENTERED),
    verify('Policy(send="/otp/send", verify="/otp/verify")', "PG076",
           "wrong codes are answered 200 as well, and bots enter them for any number",
           partial(App, verified=lambda: JSONResponse({"ok": False})), **ENTERED),
    verify('Policy(send="/otp/send", verify="/otp/verify", verify_phone=number_of)', "PG079",
           "`number_of` expects another body",
           names={"number_of": lambda fields: fields.json["user"]["phone"]}, **ENTERED),
    WrongSetup("verify", '`Policy(send="/otp/send", verify="/otp/verify")`; codes are entered '
               "elsewhere, and nobody at that route", "PG071", silent),
    senders('Policy(send="/otp/send", rules=[shadows_all])', "PG002", "nothing is wrapped",
            names={"shadows_all": quiet}),
    senders('Policy(send="/otp/send")', "PG061",
            "the wrapped sender returns an object of the provider's",
            lambda: App(deliver=sender(lambda phone: Message()))),
    senders('Policy(send="/otp/send", sent_when="sender")', "PG065", "nothing is wrapped"),
    senders('Policy(send="/otp/send", sent_when=fails)', "PG066", "`fails` raises",
            names={"fails": fails}),
]  # fmt: skip
