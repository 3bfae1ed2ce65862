"""Codes that are entered, and messages that are sent: what a guard believes of both."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from contextvars import Context
from functools import partial
from itertools import count
from typing import Any

from starlette.responses import JSONResponse, RedirectResponse, Response

from pumpguard import Action, Attempt, Finding, sender
from pumpguard.errors import MessageNotSent
from pumpguard.shadow import route_record
from tests.asgi import Reply
from tests.docs.wrong.app import App, Deliver
from tests.docs.wrong.stage import Request, Stage, Traffic, WrongSetup, asked, json_of, phone

verify = partial(asked, "verify")
senders = partial(asked, "senders")

POLICY = 'Policy(send="/otp/send")'
SHADOWING = '`Policy(send="/otp/send", rules=[later])`, which shadows'

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


async def believed(stage: Stage) -> Request:
    """Each bot enters a code for the message that it has asked for, and every code is right."""
    app = App(verified=lambda: JSONResponse({"ok": False}))
    policy = stage.Policy(send="/otp/send", verify="/otp/verify", home=["GB"])
    behind = stage.guarded(app.app, policy)
    send, enter = Traffic(behind), Traffic(behind, path="/otp/verify")

    async def ask(n: int) -> Reply:
        stage.clock.advance(30)
        await send(n)
        return await enter(n)

    return ask


async def mistyped(stage: Stage) -> Request:
    """Every tenth person enters a wrong code first, and both are answered alike."""
    policy = stage.Policy(send="/otp/send", verify="/otp/verify", home=["GB"])
    behind = stage.guarded(App(verified=lambda: JSONResponse({"ok": False})).app, policy)
    send = Traffic(behind, body=lambda n: json_of(phone=somebodys(n)))

    async def ask(n: int) -> Reply:
        stage.clock.advance(30)
        reply = await send(n)
        for code in ("123456", "654321")[: 1 + (n % 10 == 0)]:
            entered = partial(entering, code=code)
            reply = await Traffic(behind, path="/otp/verify", body=entered)(n)
        return reply

    return ask


def entering(n: int, code: str) -> bytes:
    """That code, for that person's number."""
    return json_of(phone=somebodys(n), code=code)


def somebodys(n: int) -> str:
    """Numbers as a crowd has them: of many ranges."""
    return f"+4474{n * 34_102_947 % 10**8:08}"


def later(attempt: Attempt) -> Finding | None:
    """A rule that shadows all but the first, which shows that the route sends by its sender."""
    first = attempt.phone.e164 == phone(1)
    return None if first else Finding("later", Action.SHADOW, "LATER")


def past(stage: Stage, deliver: Deliver) -> Any:
    """The app behind a policy with that rule. Nobody waits for five seconds to be sure."""
    stage.stack.callback(setattr, route_record, "GRACE", route_record.GRACE)
    route_record.GRACE = -1.0
    policy = stage.Policy(send="/otp/send", rules=[later])
    return stage.guarded(App(deliver=deliver).app, policy)


async def unwrapped(stage: Stage) -> Request:
    """The first code is sent by the wrapped function, and all others are not."""
    wrapped, calls = sender(lambda phone: "SM1"), count()
    return Traffic(past(stage, lambda phone: next(calls) or wrapped(phone)))


async def unrelated(stage: Stage) -> Request:
    """After the answer a worker sends, who knows a user and neither number nor decision."""
    wrapped, calls = sender(lambda user: "SM1"), count()
    send = Traffic(past(stage, lambda phone: next(calls) or wrapped(phone)))

    async def ask(n: int) -> Reply:
        reply = await send(n)
        if n > 1:
            Context().run(wrapped, f"user {n}")
        return reply

    return ask


async def in_a_loop(stage: Stage) -> Request:
    """One request, and a message to each of a family."""
    wrapped = sender(lambda phone: "SM1")

    async def family(number: str) -> None:
        for other in (number, f"{number[:-1]}7"):
            with suppress(MessageNotSent):
                await asyncio.to_thread(wrapped, other)

    policy = stage.Policy(send="/otp/send", home=["GB"])
    return Traffic(stage.guarded(App(deliver=family).app, policy))


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
    WrongSetup("verify", '`Policy(send="/otp/send", verify="/otp/verify")`; wrong codes are '
               "answered 200 as well, and each bot enters one for its message", "PG089", believed),
    WrongSetup("verify", '`Policy(send="/otp/send", verify="/otp/verify")`; wrong codes are '
               "answered 200 as well, and every tenth person enters one first", "PG076", mistyped),
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
    WrongSetup("senders", f"{SHADOWING}; the app sends past its wrapped function", "PG060",
               unwrapped),
    WrongSetup("senders", f"{SHADOWING}; a worker sends, and knows neither number nor decision",
               "PG062", unrelated),
    WrongSetup("senders", f"`{POLICY}`; the app sends to several numbers, of which the policy "
               "reads one", "PG087", in_a_loop),
    senders('Policy(send="/otp/send", sent_when="sender")', "PG065", "nothing is wrapped"),
    senders('Policy(send="/otp/send", sent_when=fails)', "PG066", "`fails` raises",
            names={"fails": fails}),
    senders('Policy(send="/otp/send", sent_when=200)', "PG063", "the app answers 202"),
    senders('Policy(send="/otp/send")', "PG063", "wrapped as `sender(send_sms, "
            'failed=lambda result: result["ok"])`, where a failure is what is not ok',
            lambda: App(deliver=sender(lambda phone: {"ok": True},
                                       failed=lambda result: result["ok"]))),
]  # fmt: skip
