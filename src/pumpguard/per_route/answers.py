"""Refusals as each framework answers, and its answers' statuses. Nothing of them is imported before
it is used."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, cast

from starlette.responses import Response
from starlette.types import Message, Scope

from pumpguard.errors import PumpGuardError


class Refusal:
    """What a client is told in the place of the function's result; without a ``status`` nothing."""

    def __init__(self) -> None:
        self.status = 500
        self.headers: list[tuple[str, str]] = []
        self.body = b""

    def take(self, messages: Sequence[Message]) -> None:
        """As ASGI messages say it."""
        for message in messages:
            if message["type"] == "http.response.start":
                self.status = message["status"]
                self.headers = [(name.decode(), value.decode("latin-1")) for name, value
                                in message["headers"] if name != b"content-length"]  # fmt: skip
            else:
                self.body += message.get("body", b"")


def scope_among(values: Sequence[object]) -> Scope:
    """The scope of the request among a function's arguments, or of the one that is being handled
    where the framework keeps it itself (Flask, Quart). Raises `PumpGuardError` without one."""
    for value in (*values, *_current()):
        request = getattr(value, "request", value)  # a Litestar or class-based view's own
        for found in (value, request):
            scope = getattr(found, "scope", None) or getattr(
                getattr(found, "transport", None), "scope", None
            )
            if isinstance(scope, dict) and "headers" in scope:
                return scope
            environ = getattr(found, "environ", None)
            if isinstance(environ, dict):
                from pumpguard.wsgi.scope import scope_of

                return scope_of(environ)
    raise PumpGuardError("a guarded function has to be given its framework's request")


def _current() -> list[object]:
    found = list[object]()
    for name in ("flask", "quart"):
        module: Any = sys.modules.get(name)
        if module is not None and module.has_request_context():
            found.append(module.request)
    return found


def framework_of(args: Sequence[object]) -> str:
    """Whose request it is."""
    for value in (*args, *_current()):
        if type(value).__name__ == "LocalProxy":
            value = cast(Any, value)._get_current_object()
        for kind in type(value).__mro__:
            name = kind.__module__.partition(".")[0]
            if name in ANSWERS and "Request" in kind.__name__:
                return name
    return "starlette"


def answer_of(refusal: Refusal, args: Sequence[object]) -> Any:
    """The refusal as the framework's own response."""
    return ANSWERS[framework_of(args)](refusal, args)


def status_of(args: Sequence[object], result: Any) -> int:
    """The status that a function's result means, 200 where it does not say."""
    values = [*result[1:]] if isinstance(result, tuple) else [result]
    values += [each for each in args if "Response" in type(each).__name__]  # falcon's
    for value in values:
        if isinstance(value, int):
            return value
        for name in ("status_code", "status"):
            status = getattr(value, name, None)
            if isinstance(status, int):
                return status
            if isinstance(status, str) and status[:3].isdecimal():
                return int(status[:3])
    return 200


def starlette_response(refusal: Refusal, args: Sequence[object] = ()) -> Response:
    """Starlette's, and FastAPI's."""
    response = Response(refusal.body, refusal.status)
    for name, value in refusal.headers:
        response.headers.append(name, value)
    return response


def _litestar(refusal: Refusal, args: Sequence[object]) -> Any:
    from litestar.response import Response

    kind = dict(refusal.headers).get("content-type", "application/problem+json")
    headers = {name: value for name, value in refusal.headers if name != "content-type"}
    return Response(refusal.body, status_code=refusal.status, headers=headers, media_type=kind)


def _quart(refusal: Refusal, args: Sequence[object]) -> Any:
    from quart import Response

    return Response(refusal.body, refusal.status, dict(refusal.headers))


def _flask(refusal: Refusal, args: Sequence[object]) -> Any:
    from flask import Response

    return Response(refusal.body, refusal.status, refusal.headers)


def _django(refusal: Refusal, args: Sequence[object]) -> Any:
    from django.http import HttpResponse

    return HttpResponse(refusal.body, status=refusal.status, headers=dict(refusal.headers))


def _blacksheep(refusal: Refusal, args: Sequence[object]) -> Any:
    from blacksheep import Content, Response

    kind = dict(refusal.headers).get("content-type", "application/problem+json")
    headers = [(n.encode(), v.encode()) for n, v in refusal.headers if n != "content-type"]
    return Response(refusal.status, headers, Content(kind.encode(), refusal.body))


def _sanic(refusal: Refusal, args: Sequence[object]) -> Any:
    from sanic.response import HTTPResponse

    return HTTPResponse(refusal.body, refusal.status, dict(refusal.headers))


def _falcon(refusal: Refusal, args: Sequence[object]) -> None:
    response: Any = next(each for each in args if type(each).__name__ == "Response")
    response.status, response.data = refusal.status, refusal.body
    for name, value in refusal.headers:
        response.set_header(name, value)


ANSWERS: dict[str, Callable[[Refusal, Sequence[object]], Any]] = {
    "starlette": starlette_response, "litestar": _litestar, "quart": _quart, "flask": _flask,
    "django": _django, "blacksheep": _blacksheep, "sanic": _sanic, "falcon": _falcon,
}  # fmt: skip
"""By the package of the request's class."""
