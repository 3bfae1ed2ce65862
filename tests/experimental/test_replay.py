"""Replay: a shadow without the app, in the shape of its recent real answers."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import time
from typing import Any

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from pumpguard import (
    Action,
    Attempt,
    Finding,
    Policy,
    PumpGuardMiddleware,
    current_decision,
)
from pumpguard.experimental.replay import ALIKE, KINDS, LONGEST
from tests.asgi import PHONE, Reply, ask
from tests.otp_app import guarded

OTHER = "+447400999999"
STRANGERS = ALIKE + 2
NAMES = ("Alice", "Bob", "Carol", "Dave", "Erin", "Frank", "Gwen", "Hal", "Ida", "Jo", "Kim", "Lee")


Headers = list[tuple[bytes, bytes]]


def quiet(attempt: Attempt) -> Finding | None:
    return Finding("quiet", Action.SHADOW, "Q") if attempt.phone.e164 == OTHER else None


class App:
    """An app that does not wrap its sender, and answers with a little of everything."""

    def __init__(self, body: Any = None, headers: Any = None, chunks: int = 1) -> None:
        self.asked: list[str] = []
        self.chunks = chunks
        self.body = body or (
            lambda phone: json.dumps({"status": "sent", "id": secrets.token_hex(8), "to": phone})
        )
        self.headers = headers or (
            lambda: [
                (b"content-type", b"application/json"),
                (b"x-frame-options", b"DENY"),
                (b"set-cookie", f"sid={secrets.token_hex(16)}; Path=/; HttpOnly".encode()),
            ]
        )
        self.status = 202

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        decision = current_decision()
        assert decision is not None
        phone = decision.attempt.phone.e164
        self.asked.append(phone)
        body = self.body(phone).encode()
        headers = [*self.headers(), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        for n in range(self.chunks):
            part = body if n == 0 else b"" if self.chunks == 2 else b"!"
            more = n < self.chunks - 1
            await send({"type": "http.response.body", "body": part, "more_body": more})


def replaying(app: ASGIApp, **policy: Any) -> PumpGuardMiddleware:
    return guarded(app, rules=(quiet,), shadow="experimental_replay", **policy)


async def taught(app: App, strangers: int = STRANGERS) -> ASGIApp:
    """An app behind a guard that has seen some real answers."""
    site = replaying(app)
    for n in range(strangers):
        await ask(site, f"+4474001{n * 7919 % 100_000:05}", client=(f"203.0.113.{n}", 4711))
    app.asked.clear()
    return site


def skeleton(reply: Reply) -> Any:
    """What must be the same: everything but what differs between any two real answers."""
    start, *bodies = reply.messages
    names = [name for name, _ in start["headers"]]
    length = reply.headers.get("content-length") == str(len(reply.body))
    marked = [re.sub(r"[0-9a-f]{16,}", "ID", value) for value in reply.headers.values()]
    parts = [(m["type"], len(m.get("body", b"")), m.get("more_body", False)) for m in bodies]
    return start["status"], names, length, marked, parts, list(reply.json)


async def test_a_shadow_answers_as_the_app_does_and_the_app_is_not_asked() -> None:
    app = App()
    site = await taught(app)
    real = await ask(site, PHONE)
    shadow, again = await ask(site, OTHER), await ask(site, OTHER)

    assert skeleton(shadow) == skeleton(real)
    assert shadow.json["to"] == OTHER
    assert shadow.json["id"] not in (real.json["id"], again.json["id"])
    assert shadow.headers["set-cookie"] != again.headers["set-cookie"]
    assert app.asked == [PHONE]


async def test_before_enough_strangers_were_answered_a_shadow_is_an_open_refusal() -> None:
    app = App()
    reply = await ask(await taught(app, ALIKE - 1), OTHER)
    assert reply.status == 403
    assert app.asked == []


async def test_one_client_with_many_numbers_is_no_crowd() -> None:
    """What one address was told is its own, however many numbers it asked for."""
    app = App()
    site = replaying(app)
    for n in range(3 * ALIKE):
        await ask(site, f"+4474001{n:05}", client=("203.0.113.7", 4711))
    assert (await ask(site, OTHER)).status == 403


async def test_one_number_from_many_addresses_is_no_crowd_either() -> None:
    site = replaying(App())
    for n in range(3 * ALIKE):
        await ask(site, PHONE, client=(f"203.0.113.{n}", 4711))
    assert (await ask(site, OTHER)).status == 403


def first_names() -> Any:
    names = iter(
        ["Alice", "Bob", "Carol", "Dave", "Erin", "Frank", "Gwen", "Hal", "Ida", "Jo", "Kim", "Lee"]
        * 9
    )
    return lambda _: json.dumps({"sent to": next(names)})


GZIP: Headers = [(b"content-type", b"application/json"), (b"content-encoding", b"gzip")]


@pytest.mark.parametrize(
    "app",
    [
        App(body=first_names()),
        App(headers=lambda: GZIP),
        App(body=lambda _: "a" * (LONGEST + 1)),
        App(chunks=3),
    ],
    ids=["personal", "compressed", "too long", "streamed"],
)
async def test_what_cannot_be_made_anew_is_not_replayed(app: App) -> None:
    assert (await ask(await taught(app), OTHER)).status == 403


async def test_failures_are_not_learnt() -> None:
    app = App()
    app.status = 503
    assert (await ask(await taught(app), OTHER)).status == 403


async def test_an_app_behind_a_wrapping_middleware_ends_with_an_empty_part() -> None:
    """As starlette's ``BaseHTTPMiddleware`` answers: in parts, the last of them empty."""
    app = App(chunks=2)
    site = await taught(app)
    assert skeleton(await ask(site, OTHER)) == skeleton(await ask(site, PHONE))


async def test_who_brings_a_cookie_is_answered_as_those_who_do() -> None:
    """Who brings one is often given none."""
    site = await taught(App())
    assert (await ask(site, OTHER, headers={"cookie": "sid=1"})).status == 403


async def test_numbers_in_the_path_are_one_route_and_spellings_one_path() -> None:
    send = "POST /otp/{phone}"
    site = guarded(
        App(), rules=(quiet,), shadow="experimental_replay", send=send, phone="path:phone"
    )
    for n in range(STRANGERS):
        await ask(site, path=f"/otp/+4474001{n:05}", client=(f"203.0.113.{n}", 4711))
    assert (await ask(site, path=f"//OTP/{OTHER}/")).status == 202


async def test_a_route_of_another_kind_has_answers_of_its_own() -> None:
    app = guarded(
        App(),
        rules=(quiet,),
        shadow="experimental_replay",
        send=[f"/s{n}" for n in range(KINDS + 5)],
    )
    for n in range(KINDS + 5):
        await ask(app, PHONE, path=f"/s{n}")
    assert app._replays is not None
    assert len(app._replays._kept) == KINDS


async def test_it_takes_as_long_as_real_answers_do() -> None:
    """On real time: a twentieth of a second, as the app's."""

    class Slow(App):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            await asyncio.sleep(0.05)
            await super().__call__(scope, receive, send)

    app = Slow()
    site = replaying(app)
    for n in range(20):
        await ask(site, f"+4474001{n:05}", client=(f"203.0.113.{n}", 4711))
    site.guard.simulated = False
    begun = time.perf_counter()
    assert (await ask(site, OTHER)).status == 202
    assert time.perf_counter() - begun > 0.03


def test_its_former_name_is_accepted_for_one_release() -> None:
    """And says what it is called now."""
    with pytest.deprecated_call(match="experimental_replay"):
        policy = Policy(send="/send", shadow="replay")
    assert policy.shadow == "experimental_replay"
