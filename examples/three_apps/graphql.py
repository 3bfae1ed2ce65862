"""One GraphQL endpoint for everything, where a code is asked for by phone or by e-mail."""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import phonenumbers
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pumpguard import Guard, Policy, PumpGuardMiddleware, sender
from pumpguard.intake.fields import Fields


def asks_for_sms(fields: Fields) -> bool:
    """Whether the document has the one field that sends, and not by e-mail."""
    asks = "requestCode" in str(fields.get("json:query"))
    return asks and fields.get("json:variables.channel") != "EMAIL"


POLICY = Policy(
    send="/graphql",
    verify="/graphql",
    phone="json:variables.to",
    phone_optional=True,
    when=asks_for_sms,
    verified_when="json:data.confirmCode.ok == true",
    home=["GB", "IE", "FR", "DE", "US"],
    daily_budget=600,
    proxies=["127.0.0.0/8"],
    secret="a secret of at least sixteen characters",
)

CALL = re.compile(r"(?:(\w+)\s*:\s*)?\b(requestCode|confirmCode|me)\b(?:\(([^)]*)\))?")
ARGUMENT = re.compile(r'(\w+)\s*:\s*(?:\$(\w+)|"([^"]*)"|(\w+))')

Send = Callable[[str, str], Awaitable[Any]]


def create_app(send_sms: Send, send_mail: Send, guard: Guard) -> Starlette:
    """The app, with what sends."""
    codes: dict[str, str] = {}
    send_sms = sender(send_sms)

    async def request_code(to: str, channel: str) -> dict[str, object]:
        if channel != "EMAIL":
            number = phonenumbers.parse(f"+{to[2:]}" if to.startswith("00") else to)
            to = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        codes[to] = f"{secrets.randbelow(10**6):06}"
        send = send_mail if channel == "EMAIL" else send_sms
        answer = await send(to, f"Your code is {codes[to]}")
        return {"messageId": answer["MessageId"]}

    async def confirm_code(to: str, code: str) -> dict[str, object]:
        right = codes.get(to) == code
        if right:
            del codes[to]
        return {"ok": right}

    async def me() -> dict[str, object]:
        return {"name": "nobody yet"}

    resolvers: dict[str, Callable[..., Awaitable[object]]] = {
        "requestCode": request_code,
        "confirmCode": confirm_code,
        "me": me,
    }

    async def graphql(request: Request) -> Response:
        asked = await request.json()
        variables, errors = asked.get("variables") or {}, []
        data: dict[str, object] = {}
        _, _, selection = asked["query"].partition("{")
        for alias, field, written in CALL.findall(selection):
            arguments = {
                name: variables.get(variable) if variable else text or word
                for name, variable, text, word in ARGUMENT.findall(written)
            }
            try:
                data[alias or field] = await resolvers[field](**arguments)
            except Exception as error:  # as executors do: the other fields go on
                errors.append({"message": type(error).__name__, "path": [alias or field]})
        return JSONResponse({"data": data, "errors": errors})

    routes = [Route("/graphql", graphql, methods=["POST"])]
    return Starlette(routes=routes, middleware=[Middleware(PumpGuardMiddleware, guard=guard)])
