"""Replay: a shadow without the app, in the shape of its recent real answers."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import ASGIApp, Receive, Scope, Send

from pumpguard import (
    Action,
    Attempt,
    Finding,
    Policy,
    PumpGuardMiddleware,
    current_decision,
)
from pumpguard.experimental.replay import ALIKE, KINDS, LONGEST, Answer, parts_of, read_json
from tests.asgi import PHONE, Reply, ask
from tests.otp_app import guarded

OTHER = "+447400999999"
STRANGERS = ALIKE + 2
NAMES = ("Alice", "Bob", "Carol", "Dave", "Erin", "Frank", "Gwen", "Hal", "Ida", "Jo", "Kim", "Lee")


@pytest.fixture(autouse=True)
def _somebody_has_wrapped_a_sender(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another app in the same process: it is no reason to ask this one."""
    monkeypatch.setattr("pumpguard.shadow.sender._wrapped", True)


Headers = list[tuple[bytes, bytes]]


def quiet(attempt: Attempt) -> Finding | None:
    return Finding("quiet", Action.SHADOW, "Q") if attempt.phone.e164 == OTHER else None


class App:
    """An app that does not wrap its sender, and answers in JSON."""

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
    parts = [(m["type"], len(m.get("body", b"")), m.get("more_body", False)) for m in bodies]
    return start["status"], names, length, list(reply.headers.values()), parts, list(reply.json)


async def test_a_shadow_answers_as_the_app_does_and_the_app_is_not_asked() -> None:
    app = App()
    site = await taught(app)
    real = await ask(site, PHONE)
    shadow, again = await ask(site, OTHER), await ask(site, OTHER)

    assert skeleton(shadow) == skeleton(real)
    assert shadow.json["to"] == OTHER
    assert shadow.json["id"] not in (real.json["id"], again.json["id"])
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


def with_cookie() -> Headers:
    return [(b"set-cookie", f"sid={secrets.token_hex(16)}; Path=/; HttpOnly".encode())]


def now_and_then() -> Any:
    fields = iter(["sent", "resent"] * 60)
    return lambda _: json.dumps({next(fields): True})


@pytest.mark.parametrize(
    "app",
    [
        App(body=first_names()),
        App(headers=with_cookie),
        App(body=now_and_then()),
        App(body=lambda _: "<p>sent</p>"),
        App(body=lambda _: json.dumps("sent")),
        App(body=lambda _: json.dumps({"a": "a" * LONGEST})),
        App(chunks=2),
        App(chunks=3),
    ],
    ids=["personal", "cookies", "two shapes", "HTML", "text", "too long", "parts", "streamed"],
)
async def test_what_cannot_be_made_anew_is_not_replayed(app: App) -> None:
    assert (await ask(await taught(app), OTHER)).status == 403


async def test_failures_are_not_learnt() -> None:
    app = App()
    app.status = 503
    assert (await ask(await taught(app), OTHER)).status == 403


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


NOW = 1_700_000_000.0
ANSWERS = 12


def made(*bodies: str) -> str | None:
    """A body in the shape of these, each of which a stranger was answered; for `OTHER`, later."""
    answers = []
    for n, body in enumerate(bodies):
        read = read_json(
            [
                {"type": "http.response.start", "status": 200, "headers": []},
                {"type": "http.response.body", "body": body.encode()},
            ]
        )
        assert read is not None
        answers.append(Answer(*read, NOW + n, phone(n), f"203.0.113.{n}"))
    parts = parts_of(answers)
    return None if parts is None else "".join(part(NOW + 1_000, OTHER) for part in parts)


def phone(n: int) -> str:
    return f"+4474001{n * 7919 % 100_000:05}"


def answers(value: Callable[[int], object]) -> list[str]:
    return [json.dumps({"ok": True, "value": value(n), "n": 300}) for n in range(ANSWERS)]


def test_what_never_changes_is_kept_to_the_letter() -> None:
    """Also how it is spaced."""
    body = '{"status":"se\\"nt",  "in": [60, 1.5e3, null]}'
    assert made(*[body] * ANSWERS) == body


IDS: dict[str, tuple[Callable[[], str], str]] = {
    "hex": (lambda: secrets.token_hex(8), "[0-9a-f]{16}"),
    "HEX": (lambda: secrets.token_hex(8).upper(), "[0-9A-F]{16}"),
    "begun": (lambda: f"SM{secrets.token_hex(16)}", "SM[0-9a-f]{32}"),
    "digits": (lambda: f"{secrets.randbelow(10**14):014}", "[0-9]{14}"),
    "uuid": (lambda: str(uuid.uuid4()), "[0-9a-f-]{36}"),
}


@pytest.mark.parametrize("kind", IDS)
def test_an_id_is_another_of_its_alphabet_and_length(kind: str) -> None:
    make, pattern = IDS[kind]
    texts = answers(lambda _: make())
    text = made(*texts)
    assert text is not None
    assert re.fullmatch(pattern, json.loads(text)["value"])
    assert text not in texts
    assert made(*texts) != text
    if kind == "uuid":
        assert uuid.UUID(json.loads(text)["value"]).version == 4


TIMES: dict[str, tuple[Callable[[float], object], Callable[[Any], float]]] = {
    "unix": (int, float),
    "iso": (
        lambda at: datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        lambda text: datetime.fromisoformat(text).timestamp(),
    ),
    "microseconds": (
        lambda at: datetime.fromtimestamp(at + 0.123457, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        lambda text: datetime.fromisoformat(text).timestamp(),
    ),
}


@pytest.mark.parametrize("kind", TIMES)
def test_a_time_is_as_far_from_its_answer_as_it_was(kind: str) -> None:
    """Such as ``expires_at``, five minutes ahead."""
    write, read = TIMES[kind]
    texts = answers(lambda n: write(NOW + n + 300))
    text = made(*texts)
    assert text is not None
    assert read(json.loads(text)["value"]) == pytest.approx(NOW + 1_000 + 300, abs=2)
    assert len(text) == len(texts[0])


def test_the_number_itself_is_the_one_that_was_asked_for() -> None:
    text = made(*answers(phone))
    assert text is not None
    assert json.loads(text)["value"] == OTHER


NOT_UNDERSTOOD: dict[str, Callable[[int], object]] = {
    "names": lambda n: f"Hello {NAMES[n]}",
    "channels": lambda n: "sms" if n % 3 else "whatsapp",
    "long names": lambda n: f"{NAMES[n]}{NAMES[n - 1]}{NAMES[n - 2]}",
    "short": lambda n: f"ends in {n}",
    "counted": lambda n: 5_000 + n,
    "signed tokens": lambda n: f"eyJ{n:02}hbGciOiJIUzI1NiJ9zdWIiOiIxMjM0NTY3ODkw",
    "numbers inside": lambda n: f"x{phone(n)}y",
    "UUIDs of a time": lambda n: str(uuid.UUID(int=n * 10**20, version=1)),
    "times of something else": lambda n: int(NOW + 100 * n),
    "names of fields": lambda n: {NAMES[n]: 1},
}


@pytest.mark.parametrize("kind", NOT_UNDERSTOOD)
def test_what_is_not_understood_is_not_made(kind: str) -> None:
    """Better no answer than a strange one, or somebody's."""
    assert made(*answers(NOT_UNDERSTOOD[kind])) is None


WORDS = st.text(st.characters(codec="utf-8"), min_size=4, max_size=24)


@given(st.lists(st.tuples(WORDS, WORDS), min_size=8, max_size=16, unique_by=(lambda t: t[0],)))
def test_nothing_that_one_client_was_told_is_told_to_another(values: list[tuple[str, str]]) -> None:
    """Whatever values answers had: those that differed are in no answer that is made."""
    text = made(*(json.dumps({"name": name, "of": of}) for name, of in values))
    if text is not None:
        found = json.loads(text)
        assert found["name"] not in {name for name, _ in values}
        if len({of for _, of in values}) > 1:
            assert found["of"] not in {of for _, of in values}
