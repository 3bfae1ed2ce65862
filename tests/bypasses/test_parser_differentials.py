"""What was counted is what is sent to, even if the app reads the request itself.

Behind the guard stands an app as people write them: it takes what its framework reads from the
body and hands it to ``phonenumbers``.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import phonenumbers
import pytest
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

    def __init__(self, region: str | None = None) -> None:
        self.region = region
        self.app = Starlette(routes=[Route("/otp/send", self.send, methods=["POST"])])
        self.pairs: list[tuple[str, str]] = []

    async def send(self, request: Request) -> Response:
        decision = current_decision()
        assert decision is not None
        text = await self.read(request)
        try:
            number = phonenumbers.parse(text, self.region)
        except phonenumbers.NumberParseException:
            return JSONResponse({}, 422)
        if self.region and not phonenumbers.is_possible_number(number):
            return JSONResponse({}, 422)  # as every app does that knows its users' region
        e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        self.pairs.append((e164, decision.attempt.phone.e164))
        return JSONResponse({}, 202)

    async def read(self, request: Request) -> Any:
        if request.headers.get("content-type") in (None, JSON, "text/plain"):
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


MULTIPART = "multipart/form-data; boundary=B"
PART = '--B\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'


@given(TEXTS | TEXTS.map(lambda text: PHONE + text))
@settings(deadline=None, max_examples=200)
async def test_any_text_in_a_multipart_form(text: str) -> None:
    """What a part holds is what both send to."""
    body = (PART.format("phone", text) + "--B--\r\n").encode()
    await same_number(MULTIPART, body)


@given(st.data(), st.sampled_from([None, "text/plain"]))
@settings(deadline=None, max_examples=200)
async def test_any_json_that_does_not_say_so(data: st.DataObject, content_type: str | None) -> None:
    """The app reads it as JSON, whatever it says."""
    pieces = data.draw(st.lists(st.sampled_from(PIECES[JSON]), max_size=9))
    await same_number(content_type, "".join(pieces).encode())


@given(
    st.lists(
        st.sampled_from(['"phone"', '"a"', r'"\u0070hone"']).flatmap(
            lambda name: st.sampled_from(
                [f'{name}: "{PHONE}"', f'{name}: "+447400123457"', f"{name}: NaN", f"{name}: {{}}"]
            )
        ),
        max_size=4,
    )
)
@settings(deadline=None, max_examples=200)
async def test_any_object_with_repeated_names(members: list[str]) -> None:
    """Only those that are read count, and they stand there once."""
    await same_number(JSON, ("{" + ", ".join(members) + "}").encode())


DIALLED = [
    *("0", "00", "000", "001", "0011", "002", "005", "008", "009", "011", "00700", "810", "+"),
    *("44", "7400123456", "62812343091", "86", "862812343091", "1", "9", " ", "-", "(0)", "54"),
    *("91123456789", "1123456789"),
]


@given(
    st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS)),
    st.lists(st.sampled_from(DIALLED), min_size=1, max_size=5).map("".join),
)
@settings(deadline=None, max_examples=1_500)
async def test_any_number_as_it_is_dialled_in_any_region(region: str, text: str) -> None:
    """Wherever prefixes for calls abroad are others than 00."""
    await same_number(JSON, json.dumps({"phone": text}).encode(), region)


OWN_PREFIXES = [
    *("AU", "BO", "BR", "CC", "CO", "CX", "GY", "HK", "ID", "KH", "KR", "MN", "NG", "SG", "TH"),
    *("TW", "TZ", "UG"),
]


@pytest.mark.parametrize("region", OWN_PREFIXES)
@pytest.mark.parametrize("text", ["00862812343091", "0011447400123456", "009447400123456"])
async def test_what_00_means_where_it_is_no_prefix(region: str, text: str) -> None:
    """Counted in China and sent to Indonesia, it would be limited by nothing."""
    await same_number(JSON, json.dumps({"phone": text}).encode(), region)


async def same_number(content_type: str | None, body: bytes, region: str | None = None) -> int:
    """Put the request through; how many numbers were compared."""
    independent = IndependentApp(region)
    app = guarded(independent.app, region=region)
    reply = await call(app, request(content_type=content_type), body)
    assert reply.status in (202, 400, 415, 422)
    for sent_to, counted in independent.pairs:
        # An Argentinian handset is one subject with and without the 9 that messages need.
        assert sent_to == counted or (sent_to[:3], f"+549{sent_to[3:]}") == ("+54", counted)
    return len(independent.pairs)
