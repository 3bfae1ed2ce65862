"""Requests to the console, read within bounds and unambiguously."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request

from pumpguard.errors import IntakeError
from pumpguard.intake.address import Address, TrustedProxies
from pumpguard.intake.body import read_body
from pumpguard.policy import Policy

LONGEST, PATIENCE, FIELDS = 16_384, 5.0, 20
"""Bytes of a body, seconds for all of it, and fields of a form."""

FORM, JSON = "application/x-www-form-urlencoded", "application/json"


class Clients:
    """Finds who asks, as the policy's guard does."""

    def __init__(self, policy: Policy) -> None:
        self._proxies = TrustedProxies(policy.proxies, policy.proxy_header)

    def address(self, request: Request) -> Address | None:
        """The client's address, as far as it is proven."""
        return self._proxies.client(request.scope)


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form. Raises `IntakeError`."""
    body = await _body(request, FORM)
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, errors="strict", max_num_fields=FIELDS
        )
    except ValueError:
        raise _bad("The body is no form.") from None
    return _once(pairs)


async def read_json(request: Request) -> Any:
    """A JSON body. Raises `IntakeError`."""
    body = await _body(request, JSON)
    try:
        return json.loads(body, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise _bad("The body is no JSON.") from None


async def _body(request: Request, wanted: str) -> bytes:
    said = request.headers.getlist("content-type")
    if len(said) != 1 or said[0].partition(";")[0].strip().lower() != wanted:
        detail = f"The body has to be {wanted}."
        raise IntakeError(415, "unsupported-media-type", "Unsupported media type", detail)
    return await read_body(request.receive, LONGEST, PATIENCE)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    said = dict(pairs)
    if len(said) < len(pairs):
        raise _bad("The body says something twice.")
    return said


def _bad(detail: str) -> IntakeError:
    return IntakeError(400, "bad-request", "Bad request", detail)
