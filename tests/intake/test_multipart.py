"""Multipart forms: read as starlette reads them, or refused."""

from __future__ import annotations

import warnings
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.datastructures import UploadFile
from starlette.requests import Request

from pumpguard.errors import IntakeError
from pumpguard.intake.decode import MAX_FIELDS, multipart_fields
from pumpguard.intake.fields import Fields
from tests.asgi import PHONE, arriving, request

TYPE = "multipart/form-data; boundary=B"


def part(head: str, value: str = PHONE) -> str:
    return f"--B\r\n{head}\r\n\r\n{value}\r\n"


def named(name: str, value: str = PHONE, more: str = "") -> str:
    return part(f'Content-Disposition: form-data; name="{name}"{more}', value)


END = "--B--\r\n"


def phone(body: str | bytes, content_type: str = TYPE) -> object:
    raw = body if isinstance(body, bytes) else body.encode("utf-8", "surrogateescape")
    return Fields(request(content_type=content_type), raw, {}).get("phone")


def refused(body: str | bytes, content_type: str = TYPE) -> int:
    with pytest.raises(IntakeError) as refusal:
        phone(body, content_type)
    return refusal.value.status


def test_what_an_http_client_sends_is_read() -> None:
    """With a file and a repeated field beside it."""
    sent = httpx.Request(
        "POST",
        "http://app.example",
        files=[("phone", (None, PHONE)), ("avatar", ("a.png", b"\x00\xff--" * 9_000))],
        data={"topic": ["a", "b"], "name": "André"},
    )
    found = Fields(request(content_type=sent.headers["content-type"]), sent.read(), {})
    assert found.get("phone") == found.get("form:phone") == PHONE
    assert found.get("name") == "André"
    assert found.get("nothing") is None
    assert found.can_have("altcha")
    for name in ("topic", "avatar"):
        with pytest.raises(IntakeError, match="400 ambiguous"):
            found.get(name)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (named("phone") + END, PHONE),
        (named("phone") + "--B--", PHONE),
        (part("content-disposition:form-data;name=phone") + END, PHONE),
        (part('Content-Type: text/plain; charset=UTF-8\r\nContent-Disposition: form-data; '
              'name="phone"') + END, PHONE),
        (part('Content-Disposition: form-data; name="phone"\r\n'
              'Content-Transfer-Encoding: 8bit') + END, PHONE),
        (named("phone", "") + END, ""),
        (named("phone", "a\r\nb") + END, "a\r\nb"),
        (named("phone", "٤") + END, "٤"),
        (named("phone[]") + END, None),
        (named("phone") + named("name", "\udce9") + END, PHONE),
        (named("phone") + named("a", "1") + named("a", "2") + END, PHONE),
        ("--B--\r\n", None),
        ("\r\n" + named("phone") + END, PHONE),
        (named("phone") + END + "\r\n", PHONE),
    ],
)  # fmt: skip
def test_one_field_is_one_value(body: str, value: object) -> None:
    """Whatever the others are."""
    assert phone(body) == value


@pytest.mark.parametrize(
    "body",
    [
        named("phone") * 2 + END,
        named("phone") + named("phone", more='; filename="x"') + END,
        named("phone", more='; filename="x"') + END,
        named("phone", more="; filename*=UTF-8''x") + END,
        named("phone", more='; name="other"') + END,
        named("other", more='; name="phone"') + END,
        named("phone", "\udcff") + END,
        named("ph\udcffone") + END,
        part('Content-Disposition: form-data; name="phone"\r\n'
             'Content-Transfer-Encoding: base64') + END,
        part('Content-Disposition: form-data; name="phone"\r\n'
             'Content-Type: text/plain; charset=utf-16') + END,
        part('Content-Disposition: form-data; name="phone"\r\n'
             'Content-Disposition: form-data; name="other"') + END,
        part('Content-Disposition: form-data;\r\n name="phone"') + END,
        part("Content-Disposition: form-data; name*=UTF-8''phone") + END,
        part(r'Content-Disposition: form-data; name="ph\one"') + END,
        part("Content-Disposition: form-data") + END,
        part("X: y") + END,
        part('Content-Disposition: form-data; name="phone"\r\nno header') + END,
        "--B\r\n\r\n" + PHONE + "\r\n" + END,
        named("phone"),
        named("phone") + END + named("phone") + END,
        named("phone") + END + "x",
        named("phone") + END + "\n",
        "\n" + named("phone") + END,
        "\r\n \r\n" + named("phone") + END,
        named("phone") + "--B-",
        "x\r\n" + named("phone") + END,
        named("phone", "1\r\n--Bx") + END,
        named("phone", "1--B") + END,
        (named("phone") + END).replace("\r\n", "\n"),
        named("phone", "1\n--B\nContent-Disposition: form-data; name=phone\n\n2") + END,
        "",
        "phone=1",
        '{"phone": "1"}',
        named("a") * (MAX_FIELDS + 1) + named("phone") + END,
    ],
)  # fmt: skip
def test_what_two_parsers_could_read_as_two_things_is_refused(body: str) -> None:
    """And not searched for something that may have been meant."""
    assert refused(body) == 400


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("multipart/form-data", 400),
        ("multipart/form-data; boundary=", 400),
        ("multipart/form-data; boundary=B; boundary=C", 400),
        ("multipart/form-data; boundary=B; BOUNDARY*=C", 400),
        ("multipart/form-data; boundary=" + "B" * 71, 400),
        ("multipart/form-data; boundary=B; charset=utf-16", 415),
        ("multipart/mixed; boundary=B", 415),
    ],
)
def test_a_boundary_stands_there_once(content_type: str, status: int) -> None:
    """Or parsers choose different ones."""
    assert refused(named("phone") + END, content_type) == status


def test_a_boundary_may_be_quoted() -> None:
    """As some clients do."""
    assert phone(named("phone") + END, 'multipart/form-data; boundary="B"; charset=utf-8') == PHONE


PIECES = st.lists(
    st.sampled_from([
        "--B", "--B--", "--", "\r\n", "\n", "\r\n\r\n", PHONE, "x", ": ", ";", '"',
        "Content-Disposition: form-data; name=", '"phone"', "phone", '; filename="a"', " ",
        named("phone"), named("a"), END, "\udcff", "Content-Transfer-Encoding: base64",
    ]),
    max_size=9,
).map("".join)  # fmt: skip


@given(PIECES | PIECES.map(lambda text: named("phone") + text + END))
@settings(deadline=None, max_examples=400)
async def test_where_our_reader_accepts_starlettes_reads_the_same(text: str) -> None:
    """Field by field."""
    body = text.encode("utf-8", "surrogateescape")
    try:
        ours: Any = multipart_fields(body, TYPE)
    except IntakeError:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = await Request(request(content_type=TYPE), arriving(body)).form()
    for name in {*ours, *theirs}:
        try:
            value = ours.get(name)
        except IntakeError:
            continue
        (their,) = theirs.getlist(name)
        assert not isinstance(their, UploadFile)
        if value.isascii():
            assert their == value
