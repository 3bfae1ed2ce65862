"""Nobody comes in without the token, and nothing is kept that could be stolen from us."""

from __future__ import annotations

import pytest
from starlette.types import Message

from pumpguard import Guard, Policy, PolicyError
from pumpguard.intake.address import parse_address
from pumpguard.ops.console import Console
from pumpguard.ops.console.auth import (
    COOKIE,
    LIFETIME,
    MAX_NETWORKS,
    MAX_WRONG,
    WRONG_WINDOW,
    WrongTokens,
)
from pumpguard.testing import FakeClock
from tests.ops.console.operator import TOKEN, Operator


@pytest.mark.parametrize("token", ["", "hunter2", "a" * 64, TOKEN[:23]])
def test_it_refuses_to_start_with_a_weak_token(token: str) -> None:
    """Short ones, and long ones that no machine has made; the token is not repeated."""
    with pytest.raises(PolicyError, match="at least 24 random characters") as refused:
        Console(Guard(Policy(send="/s")), token=token)
    assert not token or token not in str(refused.value)


@pytest.mark.parametrize("path", ["/", "/events", "/login", "/api/overrides"])
async def test_a_stranger_sees_nothing(stranger: Operator, guard: Guard, path: str) -> None:
    """But that there is a console."""
    await guard.overrides.posture("closed", author="anna", reason="under attack")
    reply = await stranger.get(path)
    assert reply.status in {200, 204, 303, 401}
    assert b"anna" not in reply.body
    assert b"closed" not in reply.body
    if reply.status == 303:
        assert reply.headers["location"] == "/pumpguard/login"


async def test_the_token_opens_and_the_name_is_asked_for(stranger: Operator) -> None:
    assert (await stranger.sign_in(author=" ")).status == 422
    assert (await stranger.get()).status == 303
    reply = await stranger.sign_in(author="anna")
    assert reply.headers["location"] == "/pumpguard/"
    assert '<span class="author">anna</span>' in await stranger.page()


async def test_the_cookie_stays_with_us(stranger: Operator) -> None:
    """No script can read it, no other site can send it, and no other path gets it."""
    said = (await stranger.sign_in()).headers["set-cookie"].lower().split("; ")
    assert said[0].startswith(f"{COOKIE}=")
    assert {"httponly", "samesite=strict", "path=/pumpguard/"} <= set(said)
    assert "secure" not in said  # it came over http
    assert TOKEN not in said[0]


async def test_behind_https_the_cookie_is_secure(guard: Guard) -> None:
    """Also where a proxy ends it."""
    reply = await Operator(guard, secure=True).sign_in()
    assert "secure" in reply.headers["set-cookie"].lower().split("; ")


async def test_a_wrong_token_does_not_open(stranger: Operator) -> None:
    for wrong in ("", TOKEN[:-1], TOKEN + "0", TOKEN.upper(), "ü" * 32):
        stranger.client = None
        reply = await stranger.sign_in(wrong)
        assert reply.status == 401
        assert "set-cookie" not in reply.headers
        assert not wrong or wrong.encode() not in reply.body


async def test_a_cookie_that_we_have_not_signed_is_none(operator: Operator) -> None:
    """Whatever is changed about it."""
    good = operator.cookie
    text, _, signature = good.removeprefix(f"{COOKIE}=").partition(".")
    other = signature[:-1] + ("1" if signature.endswith("0") else "0")
    for bad in (
        text,
        f"{text}.",
        f"{text}x.{signature}",
        f"x{text}.{signature}",
        f".{signature}",
        f"{text}.{other}",
        f"{text}.\xfc",
    ):
        operator.cookie = f"{COOKIE}={bad}"
        assert (await operator.get()).status == 303, bad
    operator.cookie = good
    assert (await operator.get()).status == 200


async def test_a_session_is_over_after_a_working_day() -> None:
    clock = FakeClock()
    operator = Operator(Guard(Policy(send="/s"), clock=clock))
    await operator.sign_in()
    clock.advance(LIFETIME - 1)
    assert (await operator.get()).status == 200
    clock.advance(1)
    assert (await operator.get()).status == 303
    assert (await operator.get("/events")).status == 204


async def test_every_process_with_the_token_knows_a_session(
    operator: Operator, there: Guard
) -> None:
    """Several workers serve one page; nothing is kept anywhere."""
    other = Operator(there)
    other.cookie = operator.cookie
    assert (await other.get()).status == 200
    other.console = Console(there, token=TOKEN[::-1])
    other.app.routes[0].app = other.console  # type: ignore[attr-defined]
    assert (await other.get()).status == 303


async def test_signing_out(operator: Operator) -> None:
    assert (await operator.post("/logout", {})).status == 403
    reply = await operator.submit("/logout")
    assert reply.status == 303
    assert "max-age=0" in reply.headers["set-cookie"].lower()


async def test_who_guesses_has_to_wait(stranger: Operator) -> None:
    """For people and programs together; even the right token, or guessing would go on."""
    for _ in range(MAX_WRONG - 1):
        assert (await stranger.sign_in("wrong")).status == 401
    reply = await stranger.api("GET", "/overrides", authorization="Bearer wrong")
    assert reply.status == 401
    assert reply.headers["www-authenticate"] == "Bearer"
    assert (await stranger.sign_in()).status == 429
    assert (await stranger.api("GET", "/overrides")).status == 429
    stranger.client = ("198.51.100.8", 1)  # others are not held up
    assert (await stranger.sign_in()).status == 303


async def test_the_unknown_are_not_one_client(stranger: Operator) -> None:
    """Behind a socket that says no address anybody could lock the operator out."""
    stranger.client = None
    for _ in range(MAX_WRONG * 2):
        assert (await stranger.sign_in("wrong")).status == 401
    assert (await stranger.sign_in()).status == 303


def test_wrong_tokens_are_forgotten_exactly_when_their_window_ends() -> None:
    clock = FakeClock()
    wrong = WrongTokens(clock)
    address = parse_address("2001:db8::1")
    for _ in range(MAX_WRONG):
        assert wrong.wait(address) == 0
        wrong.count(address)
        clock.advance(1)
    neighbour = parse_address("2001:db8::2")  # in the same /64, so the same client
    assert wrong.wait(neighbour) == WRONG_WINDOW - MAX_WRONG
    clock.advance(WRONG_WINDOW - MAX_WRONG)
    assert wrong.wait(address) == 0


def test_what_is_remembered_of_guessers_is_bounded() -> None:
    clock = FakeClock()
    wrong = WrongTokens(clock)
    addresses = [
        parse_address(f"10.{i // 65536}.{i // 256 % 256}.{i % 256}")
        for i in range(MAX_NETWORKS + 10)
    ]
    for address in addresses:
        wrong.count(address)
    assert len(wrong._times) == MAX_NETWORKS


async def test_a_strangers_question_is_not_answered(stranger: Operator) -> None:
    """Nor are websockets."""
    reply = await stranger.post("/story", {"number": "+447400123456"})
    assert (reply.status, reply.headers["location"]) == (303, "/pumpguard/login")
    heard: list[Message] = []

    async def send(message: Message) -> None:
        heard.append(message)

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    scope = {"type": "websocket", "path": "/", "headers": [], "root_path": ""}
    await stranger.console(scope, receive, send)
    assert [each["type"] for each in heard] == ["websocket.close"]
