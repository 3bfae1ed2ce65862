"""No form of ours works from elsewhere: not without its token, not from another site's page."""

from __future__ import annotations

import pytest

from pumpguard import Guard
from tests.ops.console.operator import Operator

CLOSED = {
    "posture": "closed",
    "lasting": "1h",
    "then": "normal",
    "country": "",
    "reason": "attack",
}
ENTRY = {"verdict": "deny", "kind": "country", "value": "GB", "lasting": "1h", "reason": "attack"}
FORMS = [("/posture", CLOSED), ("/lists", ENTRY), ("/lists/remove", {"id": "0"})]

ELSEWHERE = [
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": "https://app.example.evil.example"},
    {"sec_fetch_site": "cross-site"},
    {"sec_fetch_site": "same-site", "origin": "http://app.example"},
]


async def unchanged(guard: Guard) -> bool:
    """Whether nobody has ever ordered anything."""
    return (await guard.overrides.show()).version == 0


@pytest.mark.parametrize(("path", "form"), FORMS)
async def test_no_form_works_without_its_token(
    operator: Operator, guard: Guard, path: str, form: dict[str, str]
) -> None:
    """Nor with a wrong one, nor with that of another session of the same person."""
    mine = operator.cookie
    await operator.sign_in()
    others = await operator.form_token()
    operator.cookie = mine
    for wrong in ({}, {"form_token": ""}, {"form_token": "0" * 64}, {"form_token": others},
                  {"form_token": "ü"}):  # fmt: skip
        reply = await operator.post(path, {**form, **wrong})
        assert reply.status == 403
        assert reply.is_problem
    assert await unchanged(guard)


@pytest.mark.parametrize("headers", ELSEWHERE)
@pytest.mark.parametrize(("path", "form"), FORMS)
async def test_no_form_works_from_another_site(
    operator: Operator, guard: Guard, path: str, form: dict[str, str], headers: dict[str, str]
) -> None:
    """Even if it had learnt the token."""
    said = {**form, "form_token": await operator.form_token()}
    assert (await operator.post(path, said, **headers)).status == 403
    assert await unchanged(guard)


@pytest.mark.parametrize("headers", ELSEWHERE)
async def test_nobody_is_signed_in_or_switched_from_another_site(
    stranger: Operator, guard: Guard, headers: dict[str, str]
) -> None:
    """Nor by a program's way in."""
    assert (await stranger.sign_in(**headers)).status == 403
    body = {"posture": "closed", "author": "mike"}
    assert (await stranger.api("POST", "/posture", body, **headers)).status == 403
    assert await unchanged(guard)


@pytest.mark.parametrize(
    "headers", [{}, {"origin": "http://app.example"}, {"sec_fetch_site": "same-origin"}]
)
async def test_our_own_pages_work(
    operator: Operator, guard: Guard, headers: dict[str, str]
) -> None:
    said = {**CLOSED, "form_token": await operator.form_token()}
    reply = await operator.post("/posture", said, **headers)
    assert reply.status == 303
    assert reply.headers["location"] == "/pumpguard/?done=posture"
    assert not await unchanged(guard)


@pytest.mark.parametrize(("path", "form"), FORMS)
async def test_a_stranger_is_asked_in(
    stranger: Operator, guard: Guard, path: str, form: dict[str, str]
) -> None:
    reply = await stranger.post(path, form)
    assert (reply.status, reply.headers["location"]) == (303, "/pumpguard/login")
    assert await unchanged(guard)


async def test_nothing_is_switched_by_a_link(operator: Operator) -> None:
    for path, _ in FORMS:
        assert (await operator.get(path)).status == 405


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"posture=closed&posture=normal", "application/x-www-form-urlencoded", 400),
        (b"\xff=1", "application/x-www-form-urlencoded", 400),
        (b"a=1&" * 30, "application/x-www-form-urlencoded", 400),
        (b"a=" + b"1" * 20_000, "application/x-www-form-urlencoded", 413),
        (b"{}", "application/json", 415),
    ],
)
async def test_what_cannot_be_read_is_refused(
    operator: Operator, body: bytes, kind: str, status: int
) -> None:
    """As at the guarded routes: ambiguity is no order."""
    reply = await operator._send("POST", "/posture", kind, body, {})
    assert reply.status == status
    assert reply.is_problem
