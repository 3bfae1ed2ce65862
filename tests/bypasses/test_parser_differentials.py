"""What was counted is what is sent to, even if the app reads the request itself.

Behind the guard stands an app as people write them: it takes what its framework reads from the
body and hands it to ``phonenumbers``.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import phonenumbers
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pumpguard import current_decision
from tests.asgi import FORM, JSON, PHONE, call, request
from tests.otp_app import guarded


class IndependentApp:
    """Compares the number it would send to with the one that was counted."""

    def __init__(self) -> None:
        self.app = Starlette(routes=[Route("/otp/send", self.send, methods=["POST"])])
        self.pairs: list[tuple[str, str]] = []

    async def send(self, request: Request) -> Response:
        decision = current_decision()
        assert decision is not None
        text = await self.read(request)
        try:
            number = phonenumbers.parse(text)
        except phonenumbers.NumberParseException:
            return JSONResponse({}, 422)
        e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        self.pairs.append((e164, decision.attempt.phone.e164))
        return JSONResponse({}, 202)

    async def read(self, request: Request) -> Any:
        if request.headers["content-type"] == JSON:
            return (await request.json())["phone"]
        return (await request.form())["phone"]


ORDINARY = [PHONE, "+", "00", "44", "(0)", " ", "-", "/", "x", ";ext=", "#", ",", "*", ".", "~"]
ODD = [
    "²",
    "①",
    "½",
    "Ⓐ",
    "o",
    "٤",
    "０",
    "１",
    "\u200b",
    "\u202a",
    "\u0301",
    "+49151",
    "8",
    "tel:",
]
TEXTS = st.lists(st.sampled_from(ORDINARY + ODD), min_size=1, max_size=7).map("".join)
PIECES = {
    JSON: [
        *('"phone"', ":", ",", "{", "}", f'"{PHONE}"', '"+447400123457"', " ", '"x"', "[", "]"),
        *(r'"\u0070hone"', "\ufeff", "\x00", f'{{"phone": "{PHONE}"', f'"phone": "{PHONE}"}}'),
    ],
    FORM: [
        *("phone", "%70hone", "=", "&", ";", "%2B447400123456", "%2B447400123457", "+", "%"),
        *("%00", "[]", "x", "phone=%2B447400123456"),
    ],
}


@given(TEXTS | TEXTS.map(lambda text: PHONE + text))
@settings(deadline=None, max_examples=400)
async def test_any_text_in_json(text: str) -> None:
    await same_number(JSON, json.dumps({"phone": text}).encode())


@given(TEXTS | TEXTS.map(lambda text: PHONE + text))
@settings(deadline=None, max_examples=400)
async def test_any_text_in_a_form(text: str) -> None:
    await same_number(FORM, urlencode({"phone": text}).encode())


@given(st.data(), st.sampled_from([JSON, FORM]))
@settings(deadline=None, max_examples=400)
async def test_any_body_put_together_from_the_pieces_of_one(
    data: st.DataObject, content_type: str
) -> None:
    pieces = data.draw(st.lists(st.sampled_from(PIECES[content_type]), max_size=9))
    await same_number(content_type, "".join(pieces).encode())


async def test_the_two_do_meet() -> None:
    """The plainest request gets through, so the tests above do compare something."""
    assert await same_number(JSON, json.dumps({"phone": "+44 (0)7400 123456"}).encode()) == 1
    assert await same_number(FORM, b"phone=%2B44%207400%20123456") == 1


async def same_number(content_type: str, body: bytes) -> int:
    """Put the request through; how many numbers were compared."""
    independent = IndependentApp()
    reply = await call(guarded(independent.app), request(content_type=content_type), body)
    assert reply.status in (202, 400, 415, 422)
    for sent_to, counted in independent.pairs:
        assert sent_to == counted
    return len(independent.pairs)
