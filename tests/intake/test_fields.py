"""Values out of a request: one declared place each, and anything ambiguous refused."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.datastructures import QueryParams
from starlette.requests import Request

from pumpguard.errors import IntakeError, PolicyError
from pumpguard.intake.decode import MAX_FIELDS
from pumpguard.intake.fields import Fields, check_field, decode_json
from tests.asgi import FORM, JSON, PHONE, arriving, request


def fields(
    body: bytes = b"",
    content_type: str | None = JSON,
    *,
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    query: str = "",
    parameters: Mapping[str, str] | None = None,
) -> Fields:
    scope = request(content_type=content_type, headers=headers, query=query)
    return Fields(scope, body, parameters or {})


def in_json(text: str | bytes, field: str = "phone") -> object:
    return fields(text.encode() if isinstance(text, str) else text).get(field)


def refused(field: str, found: Fields) -> int:
    """The status of the refusal."""
    with pytest.raises(IntakeError) as refusal:
        found.get(field)
    return refusal.value.status


# Where a field may stand


def test_a_bare_name_is_a_field_of_a_json_or_a_form_body() -> None:
    assert in_json('{"phone": "+447400123456"}') == PHONE
    assert fields(b"phone=%2B447400123456", FORM).get("phone") == PHONE


def test_a_dotted_name_leads_into_nested_objects() -> None:
    nested = '{"user": {"contact": {"phone": "1"}}}'
    assert in_json(nested, "user.contact.phone") == "1"
    assert in_json(nested, "json:user.contact.phone") == "1"


@pytest.mark.parametrize("body", ["{}", "[]", '"phone"', "1", "null", '{"user": []}', "[[]]"])
def test_what_is_not_there_is_nothing(body: str) -> None:
    assert in_json(body, "user.phone") is None


def test_a_list_is_never_searched_for_its_first_number() -> None:
    assert in_json('{"phone": ["1", "2"]}') == ["1", "2"]
    assert in_json('[{"phone": "1"}]') is None


def test_each_source_is_read_alone_and_never_instead_of_another() -> None:
    found = fields(
        b'{"phone": "body"}',
        query="phone=query",
        headers={"phone": "header", "cookie": "phone=cookie"},
        parameters={"phone": "path"},
    )
    sources = ["json", "query", "path", "header", "cookie"]
    assert [found.get(f"{source}:phone") for source in sources] == [
        "body",
        "query",
        "path",
        "header",
        "cookie",
    ]
    assert fields(b"{}", query="phone=1").get("phone") is None


def test_header_names_have_no_case() -> None:
    assert fields(headers={"X-Session": "s"}).get("header:x-SESSION") == "s"


@pytest.mark.parametrize("text", ["phone", "user.phone", "json:a.b", "query:x", "cookie:sid"])
def test_a_policy_names_fields_like_this(text: str) -> None:
    check_field(text, "phone")


@pytest.mark.parametrize("text", ["", " ", " phone", "body:phone", "json:", ":x", 1, None, ["x"]])
def test_anything_else_is_no_field(text: object) -> None:
    with pytest.raises(PolicyError, match=r"^phone: expected"):
        check_field(text, "phone")


# JSON


@pytest.mark.parametrize(
    "body",
    [
        '{"phone": "1", "phone": "2"}',
        '{"phone": "1", "phone": "1"}',
        '{"a": {"phone": "1", "phone": "2"}}',
        '{"a": {"phone": "1"}, "a": {"phone": "2"}}',
        '{"a": {"phone": "1"}, "a": 2}',
        r'{"phone": "1", "\u0070hone": "2"}',
    ],
)
def test_duplicate_keys_are_refused_on_the_way_to_what_is_read(body: str) -> None:
    """Half of all parsers take the first, the others the last."""
    assert refused("a.phone" if '"a"' in body else "phone", fields(body.encode())) == 400


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"phone": "1"} {"phone": "2"}',
        b'{"phone": "1"}\x00',
        b'{"phone": "1",}',
        b"{'phone': '1'}",
        b'{"phone": "1"} // no',
        b'{"phone": NaN}',
        b'{"phone": Infinity}',
        b'{"phone": -Infinity}',
        b'{"phone": [NaN]}',
        b'{"phone": 01}',
        b'{"phone": "\n"}',
        b'{"phone": "\x00"}',
        b"\xef\xbb\xbf" * 2 + b'{"phone": "1"}',
        '{"phone": "1"}'.encode("utf-16"),
        '{"phone": "1"}'.encode("utf-16-le"),
        '{"phone": "1"}'.encode("utf-32-be"),
        b'{"phone": "\xff"}',
        b'{"phone": "\xed\xa0\x80"}',  # a surrogate, spelt out in bytes
        rb'{"phone": "\ud800"}',
        rb'{"phone": "\uDC00"}',
        rb'{"phone": "\udc00\ud800"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"phone": ' + b"9" * 5_000 + b"}",
    ],
)
def test_json_that_parsers_disagree_about_is_refused(body: bytes) -> None:
    assert refused("phone", fields(body)) == 400


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (' \n{"phone":\t"1"}\r\n', "1"),
        (r'{"phone": "\u002b44"}', "+44"),
        (r'{"phone": "\ud83d\ude00"}', "😀"),
        (r'{"phone": "\\ud800"}', r"\ud800"),
        ('{"phone": "٤٤"}', "٤٤"),
        ('{"phone": 447400123456}', 447400123456),
        ('{"phone": 1e999}', math.inf),
        ('{"phone": null}', None),
        ('{"Phone": "1"}', None),
        ('\ufeff{"phone": "1"}', "1"),
        (r'{"\ud800": 1, "phone": "1"}', "1"),
        (r'{"name": "Ann \ud83d", "phone": "1"}', "1"),
        ('{"lat": NaN, "lon": -Infinity, "phone": "1"}', "1"),
        ('{"meta": {"a": 1, "a": 2}, "phone": "1"}', "1"),
        ('{"terms": 0, "terms": 1, "phone": "1"}', "1"),
        ('{"phone[]": "1"}', None),
    ],
)
def test_json_that_everybody_reads_alike_is_read(body: str, value: object) -> None:
    assert in_json(body) == value


TEXTS = st.text(max_size=10) | st.sampled_from([PHONE, r"\ud800", "\ud800", "\x00"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["phone", "a", "b"]) | TEXTS, inner, max_size=3)
    ),
    max_leaves=8,
)
DOCUMENTS = st.builds(
    lambda value, ascii_only: json.dumps(value, ensure_ascii=ascii_only).encode(
        "utf-8", "surrogatepass"
    ),
    VALUES,
    st.booleans(),
)


@given(DOCUMENTS | st.binary(max_size=60))
@settings(deadline=None, max_examples=400)
def test_where_our_reader_accepts_the_apps_reads_the_same(body: bytes) -> None:
    """``json.loads`` on the bytes is what FastAPI and starlette use."""
    try:
        ours = decode_json(body)
    except IntakeError:
        return
    assert repr(ours) == repr(json.loads(body))  # as text, because NaN is not equal to itself


NAMED = st.sampled_from(['"phone"', r'"\u0070hone"', '"a"'])
MEMBERS = st.lists(
    st.tuples(NAMED, st.sampled_from(['"1"', '"2"', "NaN", r'"\ud800"', '{"a": 1, "a": 2}'])),
    max_size=4,
).map(lambda pairs: "{" + ", ".join(f"{name}: {value}" for name, value in pairs) + "}")


@given(MEMBERS)
@settings(deadline=None, max_examples=300)
def test_a_value_that_is_read_is_the_same_to_whoever_takes_the_first_and_the_last(
    text: str,
) -> None:
    """Whatever else is in the body."""
    try:
        found = in_json(text)
    except IntakeError:
        return
    pairs = json.loads(text, object_pairs_hook=list)
    assert [value for name, value in pairs if name == "phone"] in ([], [found]) or found == {"a": 2}


def test_a_function_is_refused_an_ambiguous_value_too() -> None:
    """Whether it asks for it by name or goes through all of them."""
    twice = fields(b'{"x": 1, "x": 2, "phone": "1"}')
    found: Any = twice.json
    assert found["phone"] == found.get("phone") == "1"
    for read in (lambda: found["x"], lambda: found.get("x"), found.items, found.values):
        with pytest.raises(IntakeError, match="400 ambiguous"):
            read()


@given(st.dictionaries(st.text("abc", max_size=3), st.text(max_size=5), max_size=4))
@settings(deadline=None)
def test_what_honest_clients_send_is_never_refused(value: dict[str, str]) -> None:
    assert decode_json(json.dumps(value).encode()) == value
    assert decode_json(json.dumps(value, ensure_ascii=False).encode()) == value


# Forms and queries


@pytest.mark.parametrize(
    "body",
    [
        b"phone=1&phone=2",
        b"phone=1&phone=1",
        b"phone=1&phone",
        b"phone=1&%70hone=2",
        b"phone=%2B4%80",
        b"ph%FFone=2&phone=1",
        b"phone=1;phone=2",  # to some parsers ";" separates fields
        b"phone=1&x=;phone=2",
        b"phone=%FF",
        b"phone=\xff",
        "phone=١".encode(),
        b"&".join(b"f%d=" % i for i in range(MAX_FIELDS + 1)),
    ],
)
def test_forms_that_parsers_disagree_about_are_refused(body: bytes) -> None:
    assert refused("phone", fields(body, FORM)) == 400


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"phone=%2B44+7400+123456", "+44 7400 123456"),
        (b"phone=+447400123456", " 447400123456"),
        (b"phone=", ""),
        (b"phone", ""),
        (b"phone=a=b", "a=b"),
        (b"&&phone=1&&", "1"),
        (b"phone=%D9%A4", "٤"),
        (b"phone=%3B", ";"),
        (b"phone=%00", "\x00"),
        (b"phone%5B%5D=1", None),
        (b"phone[]=1&phone[]=2", None),
        (b"", None),
        (b"phone=1&terms=0&terms=1", "1"),  # a hidden field and a checkbox of one name
        (b"topic=a&topic=b&phone=1", "1"),
        (b"phone=1&name=Andr%E9", "1"),
        (b"phone=1&name=Andr\xe9", "1"),
        (b"phone=1&note=a;b", "1"),
        (b"phone=1&" + b"&".join(b"q%d=1" % i for i in range(120)), "1"),
    ],
)
def test_forms_that_everybody_reads_alike_are_read(body: bytes, value: object) -> None:
    """However the fields beside it are."""
    assert fields(body, FORM).get("phone") == value


FORMS = st.lists(
    st.sampled_from(["phone", "%70hone", "=", "&", ";", "1", "+", "%2B", "%", "%FF", "%C3%A9", "a"])
    | st.text(max_size=2),
    max_size=12,
).map("".join)


@given(FORMS)
@settings(deadline=None, max_examples=400)
async def test_where_our_form_reader_accepts_starlettes_reads_the_same(text: str) -> None:
    body = text.encode("utf-8", "surrogatepass")
    theirs = await Request(request(content_type=FORM), arriving(body)).form()
    for name in (*theirs, "phone"):
        try:
            ours = fields(body, FORM).get(f"form:{name}") if name else None
        except IntakeError:
            continue
        assert not name or theirs.getlist(name) == ([] if ours is None else [ours])


@given(FORMS.filter(str.isascii))
@settings(deadline=None, max_examples=200)
def test_where_our_query_reader_accepts_starlettes_reads_the_same(query: str) -> None:
    theirs = QueryParams(query.encode())
    for name in filter(None, (*theirs, "phone")):
        try:
            ours = fields(query=query).get(f"query:{name}")
        except IntakeError:
            continue
        assert theirs.getlist(name) == ([] if ours is None else [ours])


def test_what_nobody_reads_of_a_query_may_stand_there_twice() -> None:
    """As filters and tracking parameters do."""
    assert fields(query="x=1&x=2&phone=1").get("query:phone") == "1"


@pytest.mark.parametrize("query", ["phone=1&phone=2", "phone=1&phone", "phone=%ff"])
def test_an_ambiguous_query_is_refused(query: str) -> None:
    assert refused("query:phone", fields(query=query)) == 400


# Kinds of body


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        'application/json;charset="UTF-8"',
        "application/vnd.api+json",
        "application/json;version=1",
        "application/json; charset=utf8",
        "application/json; charset=us-ascii",
        "text/plain;charset=UTF-8",  # sendBeacon, and fetch without CORS
        "text/plain",
        "",
        None,
    ],
)
def test_json_goes_by_several_types(content_type: str | None) -> None:
    """And by none, if it begins as an object or a list does."""
    assert fields(b'{"phone": "1"}', content_type).get("phone") == "1"


@pytest.mark.parametrize("content_type", [JSON, None, "text/plain"])
def test_a_byte_order_mark_is_passed_over(content_type: str | None) -> None:
    """As ``json.loads`` does."""
    assert fields(b'\xef\xbb\xbf \n{"phone": "1"}', content_type).get("phone") == "1"


@pytest.mark.parametrize("content_type", [None, "", "text/plain"])
@pytest.mark.parametrize("body", [b"", b"phone=1", b'"phone"', b"1", b" " * 80 + b"{}"])
def test_what_does_not_say_what_it_is_and_does_not_look_like_it_is_415(
    content_type: str | None, body: bytes
) -> None:
    """The app may read something else."""
    assert refused("phone", fields(body, content_type)) == 415


def test_ascii_is_ascii() -> None:
    """A body that says so and is not is read differently."""
    text = '{"phone": "1", "name": "André"}'.encode()
    assert refused("phone", fields(text, "application/json; charset=us-ascii")) == 415
    assert fields(text, "application/json; charset=utf8").get("phone") == "1"
    assert fields(b"phone=1&name=Andr%C3%A9", f"{FORM}; charset=us-ascii").get("phone") == "1"


@pytest.mark.parametrize(
    "content_type",
    [
        "text/json",
        "text/html",
        "application/octet-stream",
        "multipart/mixed; boundary=x",
        "application/json; charset=utf-16",
        "application/json; charset=utf-7",
        "application/json; charset=latin-1",
        "application/json; charset=utf-8; charset=utf-16",
        "application/x-www-form-urlencoded; charset=utf-16",
        "application/json, text/plain",
        "application/jsonp",
        "json",
    ],
)
def test_a_body_of_another_kind_is_415(content_type: str | None) -> None:
    """A body that is not understood cannot be let through: the app may understand it."""
    assert refused("phone", fields(b'{"phone": "1"}', content_type)) == 415


@pytest.mark.parametrize("content_type", [JSON, FORM])
@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "identity, gzip", "x"])
def test_an_encoded_body_is_415(content_type: str, encoding: str) -> None:
    encoded = fields(b"{}", content_type, headers={"Content-Encoding": encoding})
    assert refused("phone", encoded) == 415


def test_an_encoding_may_not_hide_behind_a_second_header_line() -> None:
    lines = [("content-encoding", "identity"), ("content-encoding", "gzip")]
    assert refused("phone", fields(b"{}", headers=lines)) == 415


@pytest.mark.parametrize("encoding", ["identity", "Identity", ""])
def test_no_encoding_may_be_said_out_loud(encoding: str) -> None:
    plain = fields(b'{"phone": "1"}', headers={"content-encoding": encoding})
    assert plain.get("phone") == "1"


def test_two_content_types_are_refused() -> None:
    assert refused("phone", fields(b"{}", headers={"content-type": FORM})) == 400
    assert refused("phone", fields(b"{}", headers={"content-type": JSON})) == 400


def test_a_declared_source_insists_on_its_own_kind_of_body() -> None:
    assert refused("form:phone", fields(b'{"phone": "1"}', JSON)) == 415
    assert refused("json:phone", fields(b"phone=1", FORM)) == 415


# Headers and cookies


def test_a_header_given_twice_is_refused() -> None:
    twice = fields(headers=[("x-session", "a"), ("x-session", "b")])
    assert refused("header:x-session", twice) == 400


@pytest.mark.parametrize(
    ("lines", "value"),
    [
        (["sid=a"], "a"),
        (["x=1; sid=a; y=2"], "a"),
        (["x=1", "sid=a"], "a"),  # HTTP/2 may send a line per cookie
        (['sid="a b"'], "a b"),
        (["what is this; sid=a"], "a"),  # strict parsers give up here, apps read on
        (["sid=a; sid=a"], "a"),
        (["x=1"], None),
        ([";;;"], None),
        ([], None),
    ],
)
def test_cookies_are_read_as_apps_read_them(lines: list[str], value: str | None) -> None:
    found = fields(headers=[("cookie", line) for line in lines])
    assert found.get("cookie:sid") == value


@pytest.mark.parametrize("lines", [["sid=a; sid=b"], ["sid=a", "sid=b"]])
def test_one_cookie_with_two_values_is_refused(lines: list[str]) -> None:
    """Some apps take the first and some the last; other cookies may be as they like."""
    found = fields(headers=[*(("cookie", line) for line in lines), ("cookie", "x=1; x=2; y=3")])
    assert refused("cookie:sid", found) == 400
    assert found.get("cookie:y") == "3"


@given(st.text(st.characters(max_codepoint=255), max_size=30))
@settings(deadline=None)
def test_whatever_single_cookie_we_read_starlette_reads_the_same(header: str) -> None:
    found = fields(headers={"cookie": header})
    for name, value in Request(request(headers={"cookie": header})).cookies.items():
        try:
            assert found.get(f"cookie:{name}") == value or not name
        except IntakeError:
            assert [key for key, _ in found.cookies].count(name) > 1


# All of it


@given(
    st.binary(max_size=60) | DOCUMENTS,
    st.sampled_from([JSON, FORM, "application/x+json", "", "multipart/form-data; boundary=b"]),
    st.sampled_from(["phone", "json:a.b", "form:phone", "query:phone", "cookie:a", "header:b"]),
    st.text(st.characters(max_codepoint=255), max_size=30),
)
@settings(deadline=None, max_examples=400)
def test_arbitrary_bytes_give_a_value_or_a_refusal(
    body: bytes, content_type: str, field: str, junk: str
) -> None:
    scope: Any = request(content_type=content_type, headers={"cookie": junk, "b": junk})
    scope["query_string"] = body
    status = 200
    try:
        Fields(scope, body, {}).get(field)
    except IntakeError as refusal:
        status = refusal.status
    assert status in (200, 400, 415)
