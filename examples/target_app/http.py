"""Reading small bodies, JSON or form, and answering with problems (RFC 9457)."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse

MAX_BODY = 4096


class UnreadableBodyError(ValueError):
    """A body that is not a small flat object of texts."""


def problem(status: int, title: str, detail: str) -> JSONResponse:
    """An error that a program and a person can both read."""
    return JSONResponse(
        {"type": "about:blank", "title": title, "status": status, "detail": detail},
        status_code=status,
        media_type="application/problem+json",
    )


async def read_fields(request: Request) -> dict[str, str]:
    """The body's fields, whether it came as JSON or as a form."""
    body = await _read_body(request)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        if kind == "application/x-www-form-urlencoded":
            return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=16))
        fields = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UnreadableBodyError("neither JSON nor a form") from error
    if not isinstance(fields, dict):
        raise UnreadableBodyError("not an object")
    return {name: value for name, value in fields.items() if isinstance(value, str)}


async def _read_body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise UnreadableBodyError(f"more than {MAX_BODY} bytes")
    return body
