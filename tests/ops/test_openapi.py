"""A policy beside the OpenAPI documents that real frameworks write."""

from __future__ import annotations

import json
from typing import Annotated, Any

import pytest
from fastapi import FastAPI, Form, Request
from hypothesis import given
from hypothesis import strategies as st
from litestar import Litestar, post
from litestar.params import JSONBody
from pydantic import BaseModel

from pumpguard import Policy
from pumpguard.ops.openapi import NO_FIELD, NO_OPERATION, UNGUARDED, operations, route_concerns


class Person(BaseModel):
    mobile: str


class Wanted(BaseModel):
    number: str
    person: Person | None = None


def fastapi(*servers: str) -> dict[str, Any]:
    """What an app of several routes says of itself."""
    app = FastAPI(servers=[{"url": url} for url in servers])

    @app.post("/otp/send")
    async def send(wanted: Wanted) -> None: ...

    @app.post("/otp/verify")
    async def verify(phone: Annotated[str, Form()], code: Annotated[str, Form()]) -> None: ...

    @app.post("/people/{phone}/{action}")
    async def act(phone: str, action: str) -> None: ...

    @app.get("/invite")
    async def invite(tel: str) -> None: ...

    @app.post("/raw")
    async def raw(request: Request) -> None: ...

    return json.loads(json.dumps(app.openapi()))  # type: ignore[no-any-return]


def found(document: dict[str, Any], **settings: Any) -> list[tuple[str, str, str]]:
    """Code, place and text of each concern, but for what is not guarded."""
    concerns = route_concerns(Policy(**settings), document)
    return [(c.code, c.where, c.what) for c in concerns if c.code != UNGUARDED]


def test_what_fits_is_said_nothing_of() -> None:
    """JSON, forms, objects in objects, parts of a path, queries, and a route with a parameter
    where the policy names one of its values."""
    app = fastapi()
    assert not found(app, send="/otp/send", phone="number", verify="/otp/verify", flow="json:f")
    assert not found(app, send="/otp/send", phone="json:person.mobile")
    assert not found(app, send="/otp/verify", phone="form:phone")
    assert not found(app, send="/people/{phone}/send", phone="path:phone")
    assert not found(app, send="/people/me/send", phone=lambda fields: fields.get("x"))
    assert not found(app, send="/otp/*", phone="number")
    assert not found(app, send="/otp/**", phone="number")
    assert not found(app, send="GET /invite", phone="query:tel")
    assert not found(app, send="/otp/send", phone=lambda fields: fields.get("x"))


def test_a_route_that_the_app_has_not_is_said_with_the_nearest() -> None:
    """Misspelt, with another method, or without its prefix."""
    app = fastapi()
    misspelt = (NO_OPERATION, "send", "the app has no /otp/snd; did you mean POST /otp/send?")
    assert found(app, send="/otp/snd") == [misspelt]
    short = (NO_OPERATION, "verify", "the app has no /verify; did you mean POST /otp/verify?")
    assert found(app, send="/otp/send", phone="number", verify="/verify") == [short]
    put = (NO_OPERATION, "send", "the app has no PUT /otp/send; did you mean POST /otp/send?")
    assert found(app, send="PUT /otp/send") == [put]
    assert found(app, send="/nothing/like/it") == [
        (NO_OPERATION, "send", "the app has no /nothing/like/it")
    ]


def test_a_prefix_of_the_server_may_be_named_or_not() -> None:
    """A proxy may cut it off, or not."""
    app = fastapi("https://api.example.org", "https://example.org/api/v1/")
    assert not found(app, send="/api/v1/otp/send", phone="number")
    assert not found(app, send="/api/v1/people/{phone}/send", phone="path:phone")
    assert not found(app, send="/otp/send", phone="number")


def test_a_field_that_no_request_has_is_said_with_those_that_it_has() -> None:
    """Of the message's request, and of the one with the code."""
    assert found(fastapi(), send="/otp/send", verify="/otp/verify", verify_phone="number") == [
        (NO_FIELD, "phone", "POST /otp/send has no 'phone' in its body, which has number, person, "
         "person.mobile"),
        (NO_FIELD, "verify", "POST /otp/verify has no 'number' in its body, which has code, phone"),
    ]  # fmt: skip
    assert found(fastapi(), send="GET /invite", phone="query:phone") == [
        (NO_FIELD, "phone", "GET /invite has no 'phone' in its query, which has tel")
    ]
    assert found(fastapi(), send="/people/{number}/send", phone="path:number")


def test_what_the_document_does_not_tell_is_not_judged() -> None:
    """An app that reads its body by hand; a number that may be missing."""
    assert not found(fastapi(), send="/raw")
    assert not found(fastapi(), send="/otp/send", phone="mail", phone_optional=True)


def test_what_looks_as_if_it_sent_messages_and_is_not_guarded_is_noted() -> None:
    """Not what is safe, nor what takes no number, nor what is guarded."""
    concerns = route_concerns(Policy(send="/otp/send", phone="number"), fastapi())
    noted = [each.what for each in concerns if each.code == UNGUARDED]
    asked = "takes 'phone' and is not guarded; if it sends messages, add it"
    assert noted == [f"POST /otp/verify {asked}"]


def test_litestar_says_the_same() -> None:
    """Its document has references of another shape."""

    @post("/otp/send")
    async def send(data: JSONBody[Wanted]) -> None: ...

    document = Litestar([send]).openapi_schema.to_schema()
    assert not found(document, send="/otp/send", phone="json:person.mobile")
    assert found(document, send="/otp/send")[0][0] == NO_FIELD


def test_shared_parameters_and_combined_schemas_are_read() -> None:
    """As other frameworks write them, references that lead nowhere or in a circle included."""
    loop = {"$ref": "#/components/schemas/loop"}
    combined = {"allOf": [{"$ref": "#/components/schemas/a~1b"}, {"$ref": "#/nowhere"}, loop]}
    document = {
        "openapi": "3.1.0",
        "components": {
            "schemas": {"a/b": {"properties": {"msisdn": {}, "again": combined}}, "loop": loop}
        },
        "paths": {
            "/sms": {
                "parameters": [{"in": "header", "name": "x-phone"}],
                "summary": "not an operation",
                "post": {"requestBody": {"content": {"application/json": {"schema": combined}}}},
            }
        },
    }
    assert not found(document, send="/sms", phone="json:msisdn")
    assert not found(document, send="/sms", phone="header:x-phone")
    assert found(document, send="/sms", phone="json:phone")


WORDS = st.sampled_from(
    ["post", "get", "parameters", "requestBody", "content", "application/json", "schema", "in",
     "properties", "$ref", "allOf", "name", "servers", "url", "/otp/send", "operationId"]
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)


@given(paths=st.dictionaries(st.sampled_from(["/otp/send", "/{a", "x"]), JSON), servers=JSON)
def test_whatever_the_document_has_it_ends_in_an_answer(paths: Any, servers: Any) -> None:
    """It comes from an app that somebody else wrote."""
    document = {"openapi": "3.1.0", "paths": paths, "servers": servers}
    has = any(str(each).lower().startswith("post /otp/send") for each in operations(document))
    assert has == (NO_OPERATION not in [code for code, _, _ in found(document, send="/otp/send")])


def test_what_is_no_document_is_refused() -> None:
    """By what is missing."""
    with pytest.raises(ValueError, match="no OpenAPI document: it has no paths"):
        found({"openapi": "3.1.0"}, send="/s")
