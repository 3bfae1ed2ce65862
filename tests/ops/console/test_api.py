"""The same switches for programs."""

from __future__ import annotations

from typing import Any

import pytest

from pumpguard import Action, Guard
from pumpguard.testing import make_attempt
from tests.asgi import JSON
from tests.ops.console.operator import TOKEN, Operator

PHONE = "+447400123456"


async def test_postures(stranger: Operator, there: Guard) -> None:
    """Who, why and for how long, in seconds; the answer is what stands."""
    said = {"posture": "closed", "author": "pager", "reason": "spike", "seconds": 600}
    reply = await stranger.api("POST", "/posture", said)
    assert reply.status == 200
    assert reply.json["posture"] == "closed"
    assert reply.json["override"]["until"] - reply.json["override"]["at"] == 600
    assert (await there.assess(make_attempt(PHONE))).action is Action.THROTTLE
    assert (await stranger.api("GET", "/overrides")).json == reply.json


async def test_lists(stranger: Operator, there: Guard) -> None:
    """A number goes off the list by its name, which says nothing, or by itself in the body: it
    never stands in a URL, which logs keep."""
    said = {"verdict": "deny", "kind": "number", "value": PHONE, "author": "fraud-job"}
    reply = await stranger.api("POST", "/lists", said)
    (entry,) = reply.json["listings"]
    assert entry["shown"] == "+447400123•••"
    assert PHONE[3:] not in reply.body.decode()
    assert (await there.assess(make_attempt(PHONE))).action is Action.BLOCK
    assert (await stranger.api("DELETE", f"/lists/{entry['id']}")).json["listings"] == []
    await stranger.api("POST", "/lists", said)
    gone = await stranger.api("DELETE", "/lists", {"kind": "number", "value": PHONE})
    assert gone.json["listings"] == []


@pytest.mark.parametrize(
    ("method", "path", "body", "wrong"),
    [
        ("POST", "/posture", {"posture": "shut", "author": "x"}, "posture"),
        ("POST", "/posture", {"posture": "closed"}, "author"),
        ("POST", "/posture", {"posture": "closed", "author": ""}, "author"),
        ("POST", "/posture", {"posture": "closed", "author": "x", "for": "1h"}, "for"),
        ("POST", "/posture", {"posture": "closed", "author": "x", "seconds": "60"}, "seconds"),
        ("POST", "/posture", {"posture": "closed", "author": "x", "seconds": -1}, "seconds"),
        ("POST", "/posture", {"posture": "closed", "author": "x", "country": "UK"}, "country"),
        ("POST", "/posture", {"posture": "closed", "author": "x", "then": "closed"}, "then"),
        ("POST", "/posture", [], "body"),
        ("POST", "/lists", {"verdict": "ban", "kind": "country", "value": "GB", "author": "x"},
         "verdict"),
        ("POST", "/lists", {"verdict": "deny", "kind": "number", "value": "7", "author": "x"},
         "number"),
        ("DELETE", "/lists", {"kind": "country", "value": "GB"}, "country"),
        ("DELETE", "/lists/0123", None, "id"),
    ],
)  # fmt: skip
async def test_what_makes_no_sense_is_named_by_its_path(
    stranger: Operator, guard: Guard, method: str, path: str, body: Any, wrong: str
) -> None:
    """As a problem, and nothing is changed."""
    reply = await stranger.api(method, path, body)
    assert reply.status == 422
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json["path"] == wrong
    assert reply.json["detail"].startswith(f"{wrong}: expected ")
    assert (await guard.overrides.show()).version == 0


@pytest.mark.parametrize("said", ["", "Basic bWlrZTp4", "Bearer", "Bearer wrong", "wrong"])
async def test_without_the_token_there_is_nothing(
    operator: Operator, guard: Guard, said: str
) -> None:
    """Not even for who is signed in: a cookie is for people's forms, which carry a token."""
    body = {"posture": "closed", "author": "x"}
    for method, path in (("GET", "/overrides"), ("POST", "/posture"), ("DELETE", "/lists/1")):
        operator.client = None  # guessing is slowed down elsewhere
        reply = await operator.api(method, path, body, authorization=said)
        assert reply.status == 401
        assert reply.headers["www-authenticate"] == "Bearer"
        assert reply.is_problem
    assert (await guard.overrides.show()).version == 0


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b'{"posture":"normal","posture":"closed","author":"x"}', b"\xff", b"[" * 9_000],
)
async def test_json_that_is_none_or_ambiguous_is_refused(
    operator: Operator, guard: Guard, body: bytes
) -> None:
    headers = {"authorization": f"Bearer {TOKEN}"}
    reply = await operator._send("POST", "/api/posture", JSON, body, headers)
    assert reply.status == 400
    assert reply.is_problem
    assert (await guard.overrides.show()).version == 0


async def test_other_methods_are_not_there(stranger: Operator) -> None:
    assert (await stranger.api("GET", "/posture")).status == 405
    assert (await stranger.api("POST", "/overrides", {})).status == 405
    assert (await stranger.api("GET", "/nothing")).status == 404
