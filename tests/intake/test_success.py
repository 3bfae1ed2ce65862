"""Which answers mean that a code was right."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.datastructures import Headers

from pumpguard import Policy, PolicyError
from pumpguard.intake.conditions import success_when


def says(when: Any, status: int = 200, body: bytes = b"", **headers: Any) -> bool:
    """Whether this answer is a success."""
    return success_when(when)(status, Headers(headers), body)


@pytest.mark.parametrize(
    ("when", "status", "right"),
    [
        (None, 200, True), (None, 204, True), (None, 302, False), (None, 401, False),
        (303, 303, True), (303, 302, False), ("2XX", 299, True), ("200-204", 205, False),
        (["2xx", 303], 303, True), (["2xx", 303], 302, False),
    ],
)  # fmt: skip
def test_by_the_status(when: Any, status: int, right: bool) -> None:
    """One, a range, a class, or several."""
    assert says(when, status) is right


@pytest.mark.parametrize(
    ("when", "body", "right"),
    [
        ("json:valid == true", b'{"valid": true}', True),
        ("json:valid == true", b'{"valid": false}', False),
        ("json:valid == true", b'{"valid": 1}', False),
        ("json:valid == true", b"<form>", False),
        ("json:data.verify.ok == true", b'{"data": {"verify": {"ok": true}}}', True),
        ("json:data.verify.ok == true", b'{"data": null, "errors": [1]}', False),
        ("json:status == 'approved'", b'{"status": "approved"}', True),
        ("json:status == approved", b'{"status": "approved"}', True),
        ("json:errors.0.code == 3", b'{"errors": [{"code": 3}]}', True),
    ],
)
def test_by_a_value_in_the_answer(when: str, body: bytes, right: bool) -> None:
    """A 200 that says no teaches nothing, nor does an error that says yes."""
    assert says(when, 200, body) is right
    assert not says(when, 400, body)


def test_by_a_header_and_by_where_it_leads() -> None:
    """A server-rendered app shows the form again, or leads on."""
    assert says("header:result == 1", result="1")
    assert not says("header:result == 1")
    assert says("location:/home", 303, location="/home?hello=1")
    assert says("location:/home", 302, location="https://app.example/home")
    assert says("location:/home*", 302, location="/home/start")
    assert not says("location:/home", 303, location="/otp/verify?error=1")
    assert not says("location:/home", 200, location="/home")


def test_by_a_function() -> None:
    """Of status, headers and body."""
    assert says(lambda status, headers, body: body == b"OK", body=b"OK")


@pytest.mark.parametrize("when", ["ok", 99, "6xx", True, [], ["json:valid"], 2.5, {}, "json: == 1"])
def test_what_is_no_condition_is_refused(when: Any) -> None:
    """At construction, with its path."""
    with pytest.raises(PolicyError, match="verified_when"):
        Policy(send="/s", verify="/v", verified_when=when)


@pytest.mark.parametrize("name", ["verified_when", "flow"])
def test_both_need_the_verify_route(name: str) -> None:
    """Without it they would mean nothing."""
    settings: dict[str, Any] = {"send": "/s", "settled": True, name: "2xx"}
    with pytest.raises(PolicyError, match=name):
        Policy(**settings)
