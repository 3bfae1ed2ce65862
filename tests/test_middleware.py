"""The middleware: what reaches the app, what the client hears, and that nothing gets by."""

from __future__ import annotations

import asyncio
import gzip
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.types import Message, Receive, Scope, Send

from pumpguard import (
    Action,
    Attempt,
    Decision,
    Finding,
    Guard,
    Policy,
    PolicyError,
    PumpGuardMiddleware,
    current_decision,
    sender,
)
from pumpguard.intake.fields import Fields
from pumpguard.intake.network import UnknownNetworks
from pumpguard.rules import RateLimit
from pumpguard.shadow.current import IN_SCOPE
from pumpguard.store.base import Answer, Question
from pumpguard.store.memory import MemoryStore
from pumpguard.testing import FakeClock, SimulatedHuman
from tests.asgi import (
    DISCONNECT,
    FORM,
    JSON,
    PHONE,
    Reply,
    arriving,
    ask,
    call,
    pipelined,
    request,
    scripted,
)
from tests.otp_app import Outbox, guarded, one_per_minute, otp_app

OTHER = "+447400123457"
BODY = json.dumps({"phone": PHONE}).encode()


class Recorder:
    """An app that remembers the scope and every message it received, and answers 200."""

    def __init__(self, messages: int = 1) -> None:
        self.expected = messages
        self.scopes: list[Scope] = []
        self.received: list[Message] = []
        self.decisions: list[Decision | None] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        self.decisions.append(current_decision())
        for _ in range(self.expected):
            self.received.append(await receive())
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})


def always(action: Action) -> Callable[[Attempt], Finding]:
    """A rule that finds fault with everybody."""

    def verdict(attempt: Attempt) -> Finding:
        return Finding("verdict", action, "ALWAYS")

    return verdict


# What is not guarded


async def test_an_unguarded_route_passes_untouched() -> None:
    """The very same scope, receive and send: nothing is wrapped, read or slowed."""
    seen: list[tuple[Scope, Receive, Send]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append((scope, receive, send))

    scope, receive, send = request(path="/other"), arriving(BODY), Reply().send
    await guarded(app)(scope, receive, send)

    assert seen == [(scope, receive, send)]
    assert all(given is got for given, got in zip((scope, receive, send), seen[0], strict=True))


async def test_a_policy_may_be_the_path_of_its_file(tmp_path: Path) -> None:
    """As a text or a `Path`."""
    file = tmp_path / "policy.toml"
    file.write_text('send = "/otp/send"\n')
    for path in (file, str(file)):
        assert PumpGuardMiddleware(Recorder(), path).guard.policy == Policy(send="/otp/send")


@pytest.mark.parametrize("kind", ["websocket", "lifespan", "something.new"])
async def test_other_protocols_pass_untouched_even_on_a_guarded_path(kind: str) -> None:
    app = Recorder(messages=0)
    scope: Scope = {**request(), "type": kind}
    await guarded(app)(scope, arriving(), Reply().send)

    assert app.scopes == [scope]
    assert app.scopes[0] is scope


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
async def test_safe_methods_pass(method: str) -> None:
    app = Recorder()
    assert (await call(guarded(app), request(method))).status == 200
    assert app.decisions == [None]


async def test_the_guard_is_closed_when_the_app_is_shut_down() -> None:
    store = ClosableStore()
    await guarded(Recorder(messages=0), store=store)({"type": "lifespan"}, scripted(), Reply().send)
    assert store.closed == 1


async def test_the_guard_is_closed_before_the_server_hears_that_the_app_has_shut_down() -> None:
    """Servers end the process then, and with it a task that still has something to tell."""
    store, closed_by_then = ClosableStore(), []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for phase in ("startup", "shutdown"):
            await send({"type": f"lifespan.{phase}.complete"})

    async def send(message: Message) -> None:
        closed_by_then.append((message["type"], store.closed))
        if store.closed:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await guarded(app, store=store)({"type": "lifespan"}, scripted(), send)
    assert closed_by_then == [("lifespan.startup.complete", 0), ("lifespan.shutdown.complete", 1)]
    assert store.closed == 1


async def test_the_guard_is_closed_although_the_app_fails_to_start() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise ConnectionError("no database")

    store = ClosableStore()
    with pytest.raises(ConnectionError):
        await guarded(app, store=store)({"type": "lifespan"}, scripted(), Reply().send)
    assert store.closed == 1


class ClosableStore(MemoryStore):
    """A store of somebody else's."""

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__()
        self.closed = 0
        self.error = error

    async def decide(self, question: Question) -> Answer:
        raise self.error or AssertionError("not asked in this test")

    async def aclose(self) -> None:
        self.closed += 1


# What reaches the app


async def test_the_body_reaches_the_app_unchanged() -> None:
    app = Recorder()
    body = b' {"phone" : "+44 (0)7400 123456", "text": "\xc3\xa9"}\r\n'
    await call(guarded(app), request(), arriving(body[:7], body[7:9], b"", body[9:]))

    assert app.received == [{"type": "http.request", "body": body, "more_body": False}]


async def test_the_scope_reaches_the_app_unchanged() -> None:
    """But for a note of the guard's, under a name of its own; it is empty afterwards."""
    app = Recorder()
    scope = request(path="//OTP/send/", query="a=1", headers={"x-y": "z"}, root_path="/api")
    before = dict(scope)
    await call(guarded(app), scope, BODY)

    assert app.scopes[0] is scope
    assert scope == {**before, IN_SCOPE: None}


async def test_the_app_still_hears_that_the_client_has_left() -> None:
    app = Recorder(messages=2)
    await call(guarded(app), request(), arriving(BODY, then=DISCONNECT))

    assert app.received[1] == DISCONNECT


async def test_the_app_can_ask_what_was_decided() -> None:
    app = Recorder()
    await ask(guarded(app), "0044 7400 123456")

    [decision] = app.decisions
    assert decision is not None
    assert decision.allowed
    assert decision.attempt.phone.e164 == PHONE


async def test_nothing_of_a_decision_is_left_after_the_request() -> None:
    await ask(guarded(Recorder()))
    assert current_decision() is None


async def test_what_the_app_raises_is_the_apps_affair() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise ZeroDivisionError("the app's own")

    heard: list[Decision] = []
    policy = Policy(send="/otp/send", rules=one_per_minute())
    middleware = PumpGuardMiddleware(app, policy, on_decision=heard.append)
    with pytest.raises(ZeroDivisionError, match="the app's own"):
        await ask(middleware)

    assert current_decision() is None
    assert len(heard) == 1


# What the client hears


async def test_an_allowed_request_gets_the_apps_own_answer() -> None:
    outbox = Outbox()
    reply = await ask(guarded(otp_app(outbox)))

    assert reply.messages == (await ask(otp_app(Outbox()))).messages
    assert outbox.sent == [PHONE]


async def test_a_throttled_client_is_told_when_to_come_back_and_nothing_else() -> None:
    outbox = Outbox()
    clock = FakeClock()
    app = guarded(otp_app(outbox), clock=clock)
    await ask(app)
    clock.advance(20)
    refused = await ask(app)

    assert refused.status == 429
    assert refused.is_problem
    assert refused.headers["retry-after"] == "40"
    assert refused.headers.keys() == {
        "access-control-expose-headers",  # names retry-after, and nothing else
        "cache-control",
        "content-length",
        "content-type",
        "retry-after",
    }
    clock.advance(40)
    assert (await ask(app)).status == 202
    assert outbox.sent == [PHONE, PHONE]


async def test_two_phones_have_two_budgets() -> None:
    app = guarded(otp_app(Outbox()))
    statuses = [(await ask(app, phone)).status for phone in (PHONE, OTHER, PHONE, OTHER)]
    assert statuses == [202, 202, 429, 429]


async def test_two_clients_have_two_budgets() -> None:
    app = guarded(otp_app(Outbox()), rules=one_per_minute("network"))
    clients = [("198.51.100.1", 1), ("198.51.100.2", 1), ("198.51.100.1", 2)]
    statuses = [(await ask(app, client=client)).status for client in clients]
    assert statuses == [202, 202, 429]


async def test_clients_whose_address_is_unknown_share_no_budget() -> None:
    """Otherwise one of them could use up everybody's."""
    app = guarded(otp_app(Outbox()), rules=one_per_minute("network"))
    assert [(await ask(app, client=None)).status for _ in range(3)] == [202] * 3


async def test_a_challenge_is_met_by_its_solution() -> None:
    outbox = Outbox()
    policy = Policy(send="/otp/send", rules=(always(Action.CHALLENGE),))
    app = PumpGuardMiddleware(otp_app(outbox), policy, challenge=SimulatedHuman())
    asked = await ask(app)
    solved = await ask(app, headers={"X-Sim-Human": "1"})

    assert asked.status == 403
    assert asked.is_problem
    assert asked.json["type"].endswith("/challenge")
    assert solved.status == 202
    assert len(outbox.sent) == 1


async def test_where_nobody_can_answer_nobody_is_asked() -> None:
    """What only asks is recorded, and refuses nobody (docs/challenges.md)."""
    decisions: list[Decision] = []
    policy = Policy(send="/otp/send", rules=(always(Action.CHALLENGE),))
    guard = Guard(policy, on_decision=decisions.append)
    app = PumpGuardMiddleware(otp_app(Outbox()), guard=guard)
    assert (await ask(app)).status == 202
    ((finding,),) = [decision.findings for decision in decisions]
    assert (finding.action, finding.mode) == (Action.CHALLENGE, "monitor")


async def test_a_block_is_final() -> None:
    outbox = Outbox()
    reply = await ask(guarded(otp_app(outbox), rules=(always(Action.BLOCK),)))

    assert reply.status == 403
    assert reply.json["type"].endswith("/blocked")
    assert "retry-after" not in reply.headers
    assert outbox.sent == []


async def test_a_refused_request_never_reaches_the_app() -> None:
    app = Recorder()
    for action in (Action.CHALLENGE, Action.THROTTLE, Action.BLOCK):
        policy = Policy(send="/otp/send", rules=(always(action),))
        await ask(PumpGuardMiddleware(app, policy, challenge=SimulatedHuman()))
    assert app.scopes == []


# Shadows


def quiet(attempt: Attempt) -> Finding | None:
    return Finding("quiet", Action.SHADOW, "Q") if attempt.phone.e164 == OTHER else None


def shadowing(outbox: Outbox, *, wrap: bool) -> PumpGuardMiddleware:
    """A guard that keeps quiet about one number, in front of an app with or without its gate."""
    send = sender(outbox.send, "message-0") if wrap else outbox.send

    async def app(scope: Scope, receive: Receive, send_message: Send) -> None:
        await receive()
        decision = current_decision()
        assert decision is not None
        body = json.dumps({"status": "sent", "id": send(decision.attempt.phone.e164)}).encode()
        headers = [(b"content-type", b"application/json"), (b"set-cookie", b"otp=1")]
        await send_message({"type": "http.response.start", "status": 202, "headers": headers})
        await send_message({"type": "http.response.body", "body": body})

    return guarded(app, rules=(quiet,))


async def test_under_a_shadow_the_app_answers_as_always_and_sends_nothing() -> None:
    outbox = Outbox()
    app = shadowing(outbox, wrap=True)
    real, shadowed = await ask(app, PHONE), await ask(app, OTHER)

    assert shadowed.messages[0] == real.messages[0]
    assert [m.keys() for m in shadowed.messages] == [m.keys() for m in real.messages]
    assert shadowed.json.keys() == real.json.keys()
    assert [len(chunk) for chunk in shadowed.chunks] == [len(chunk) for chunk in real.chunks]
    assert outbox.sent == [PHONE]


async def test_without_a_wrapped_sender_a_shadow_is_an_open_refusal(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """As often as it happens; the log says so once an hour."""
    outbox = Outbox()
    app = shadowing(outbox, wrap=False)
    for reply in (await ask(app, OTHER), await ask(app, PHONE), await ask(app, OTHER)):
        if reply.status != 202:
            assert reply.status == 403
            assert reply.json["type"].endswith("/blocked")
    assert outbox.sent == [PHONE]
    assert caplog.text.count("PG002") == 1


async def test_a_sync_sender_in_a_thread_is_silent_too() -> None:
    """Frameworks run plain endpoints in threads; the decision goes with them."""
    from starlette.applications import Starlette
    from starlette.background import BackgroundTask
    from starlette.requests import Request
    from starlette.responses import JSONResponse, Response
    from starlette.routing import Route

    outbox, threads = Outbox(), set[int]()
    send = sender(outbox.send)

    def endpoint(request: Request) -> Response:
        threads.add(threading.get_ident())
        send("in the thread")
        return JSONResponse({}, 202, background=BackgroundTask(send, "in the background"))

    app = guarded(
        Starlette(routes=[Route("/otp/send", endpoint, methods=["POST"])]), rules=(quiet,)
    )
    await ask(app)  # proof that the app sends by what is wrapped
    sent = list(outbox.sent)
    reply = await ask(app, OTHER)

    assert reply.status == 202
    assert threads != {threading.get_ident()}
    assert (sent, outbox.sent) == (["in the thread", "in the background"], sent)


# Who listens


async def test_every_decision_is_told_once_and_after_the_reply() -> None:
    order: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})
        order.append("replied")

    policy = Policy(send="/otp/send", rules=one_per_minute())
    middleware = PumpGuardMiddleware(
        app, policy, on_decision=lambda decision: order.append(str(decision.action))
    )
    await ask(middleware)
    await ask(middleware)

    assert order == ["replied", "allow", "throttle"]


async def test_a_listener_that_fails_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    def listener(decision: Decision) -> None:
        raise ZeroDivisionError

    policy = Policy(send="/otp/send", rules=one_per_minute())
    app = PumpGuardMiddleware(otp_app(Outbox()), policy, on_decision=listener)

    assert [(await ask(app)).status for _ in range(2)] == [202, 429]
    assert "PG044" in caplog.text


async def test_what_could_not_be_read_is_no_decision() -> None:
    heard: list[Decision] = []
    policy = Policy(send="/otp/send", rules=one_per_minute())
    app = PumpGuardMiddleware(otp_app(Outbox()), policy, on_decision=heard.append)

    assert (await ask(app, "no number")).status == 422
    assert heard == []


# Faults of ours and of others


@pytest.mark.parametrize("error", [KeyError("x"), RecursionError(), UnicodeError("x"), OSError()])
async def test_a_phone_function_that_fails_is_400_and_sends_nothing(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    def phone(fields: Fields) -> str:
        raise error

    outbox = Outbox()
    reply = await ask(guarded(otp_app(outbox), phone=phone))

    assert reply.is_problem
    assert reply.status == 400
    assert outbox.sent == []
    assert "PG021" in caplog.text


async def test_a_phone_function_reads_what_no_field_can_name() -> None:
    def phone(fields: Fields) -> object:
        body: Any = fields.json
        return body["contacts"][-1]

    outbox = Outbox()
    body = json.dumps({"contacts": [OTHER, "00447400123456"]}).encode()
    assert (await call(guarded(otp_app(outbox), phone=phone), request(), body)).status == 202
    assert outbox.sent == [PHONE]


@pytest.mark.parametrize("value", [None, 1, "", [], [PHONE, 1], "abc", b"+447400123456"])
async def test_a_phone_function_that_finds_no_number_is_422(value: object) -> None:
    reply = await ask(guarded(otp_app(Outbox()), phone=lambda fields: value))
    assert (reply.is_problem, reply.status) == (True, 422)


async def test_a_store_with_a_bug_sends_nothing_and_is_no_crash(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A store in trouble says so with a ``StoreError``; this one does not know how."""
    outbox = Outbox()
    reply = await ask(guarded(otp_app(outbox), store=ClosableStore(KeyError("bug"))))

    assert reply.status == 503
    assert reply.headers["content-type"] == "application/problem+json"
    assert outbox.sent == []
    assert "PG022" in caplog.text


async def test_what_a_batch_was_charged_before_a_bug_is_given_back() -> None:
    """Its first number has got no message, and may have one."""

    class Faulty(MemoryStore):
        faulty = False
        asked = 0

        async def decide(self, question: Question) -> Answer:
            self.asked += 1
            if self.faulty and self.asked == 2:
                raise KeyError("bug")
            return await super().decide(question)

    store = Faulty(clock=FakeClock())
    app = guarded(otp_app(Outbox()), store=store)
    body = json.dumps({"phone": [PHONE, OTHER]}).encode()
    store.faulty = True
    assert (await call(app, request(), body)).status == 503
    await app.guard.settled()
    assert (await ask(app)).status == 202


async def test_networks_with_a_bug_know_nothing_and_refuse_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The rules judge by the rest; one damaged file must not close the site."""

    class Broken(UnknownNetworks):
        def country(self, address: object) -> str | None:
            raise KeyError(address)

    outbox = Outbox()
    policy = Policy(send="/otp/send", rules=one_per_minute())
    reply = await ask(PumpGuardMiddleware(otp_app(outbox), policy, networks=Broken()))

    assert reply.status == 202
    assert outbox.sent == [PHONE]
    assert "PG085" in caplog.text


async def test_a_middleware_takes_a_policy_or_a_guard() -> None:
    policy = Policy(send="/otp/send", rules=one_per_minute())
    shared = PumpGuardMiddleware(otp_app(Outbox()), guard=Guard(policy))

    assert (await ask(shared)).status == 202
    with pytest.raises(TypeError):
        PumpGuardMiddleware(otp_app(Outbox()))
    with pytest.raises(TypeError):
        PumpGuardMiddleware(otp_app(Outbox()), policy, guard=shared.guard)


async def test_a_wsgi_app_is_refused_at_once_and_told_what_guards_it() -> None:
    """By what it can be called with; an app that does not say, or takes whatever comes, is let
    be."""
    policy = Policy(send="/otp/send", rules=one_per_minute())

    def wsgi(environ: object, start_response: object) -> list[bytes]:
        return []

    async def any_number(*arguments: Any) -> None:
        await otp_app(Outbox())(*arguments)

    with pytest.raises(PolicyError, match=r"^app: .*PumpGuardWSGI, got ") as raised:
        PumpGuardMiddleware(wsgi, policy)  # type: ignore[arg-type]
    assert raised.value.path == "app"
    assert (await ask(PumpGuardMiddleware(any_number, policy))).status == 202
    in_c: Any = dict
    assert PumpGuardMiddleware(in_c, policy).app is in_c


# One connection


async def test_the_next_request_of_a_connection_is_decided_about_by_itself() -> None:
    """Though the one before is still at work (a background task), and its context is the same."""
    found = list[Decision | None]()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await otp_app(Outbox())(scope, receive, send)
        found.append(current_decision())
        for _ in range(100):
            await asyncio.sleep(0)

    rules = [RateLimit(name="limit", by="phone", limits="2/hour")]
    policy = Policy(send="/otp/send", rules=rules)
    behind = PumpGuardMiddleware(app, policy, networks=UnknownNetworks())
    other = json.dumps({"phone": OTHER}).encode()
    statuses = await pipelined(behind, "/otp/send", *[BODY] * 4, other)
    assert statuses == [202, 202, 429, 429, 202]
    numbers = [each.attempt.phone.e164 for each in found if each is not None]
    assert numbers == [PHONE, PHONE, OTHER]


# Sessions, accounts, devices


async def test_a_session_is_any_text_or_whole_number() -> None:
    app = guarded(otp_app(Outbox()), rules=one_per_minute("session"), session="session")

    async def send(session: object) -> int:
        body = json.dumps({"phone": PHONE, "session": session}).encode()
        return (await call(app, request(), body)).status

    assert [await send("a"), await send("b"), await send("a")] == [202, 202, 429]
    assert [await send(17), await send(17), await send("17")] == [202, 429, 429]
    assert [await send(None), await send(None), await send("")] == [202] * 3


@pytest.mark.parametrize("session", [["a"], {"a": 1}, True, False, 1.5])
async def test_a_session_of_another_kind_does_not_skip_the_limit(session: object) -> None:
    outbox = Outbox()
    app = guarded(otp_app(outbox), rules=one_per_minute("session"), session="session")
    body = json.dumps({"phone": PHONE, "session": session}).encode()
    reply = await call(app, request(), body)

    assert (reply.is_problem, reply.status) == (True, 400)
    assert outbox.sent == []


# Bad input, end to end


def form(text: str) -> tuple[str, bytes]:
    return FORM, text.encode()


def as_json(value: object) -> tuple[str, bytes]:
    return JSON, json.dumps(value).encode()


BAD: dict[str, tuple[str | None, bytes]] = {
    "no body": (JSON, b""),
    "no type": (None, b"phone=%2B447400123456"),
    "empty object": as_json({}),
    "null": as_json({"phone": None}),
    "empty": as_json({"phone": ""}),
    "number": as_json({"phone": 447400123456}),
    "list": as_json({"phone": [PHONE, "x"]}),
    "empty list": as_json({"phone": []}),
    "object": as_json({"phone": {"phone": PHONE}}),
    "top-level list": as_json([{"phone": PHONE}, {}]),
    "NUL": as_json({"phone": PHONE + "\x00"}),
    "letters": as_json({"phone": "+44740012345O"}),
    "extension": as_json({"phone": PHONE + ";ext=1"}),
    "two numbers": as_json({"phone": PHONE + "," + PHONE}),
    "lone surrogate": (JSON, rb'{"phone": "+447400123456\ud800"}'),
    "surrogate bytes": (JSON, b'{"phone": "+447400123456\xed\xa0\x80"}'),
    "duplicate keys": (JSON, b'{"phone": "+447400123456", "phone": "+447400123457"}'),
    "trailing data": (JSON, BODY + BODY),
    "UTF-16": (JSON, BODY.decode().encode("utf-16")),
    "UTF-16 declared": (JSON + "; charset=utf-16", BODY.decode().encode("utf-16")),
    "UTF-32": (JSON, BODY.decode().encode("utf-32")),
    "two BOMs": (JSON, b"\xef\xbb\xbf" * 2 + BODY),
    "gzip": (JSON, gzip.compress(BODY)),
    "1 MB": (JSON, b'{"x": "' + b"x" * 1_000_000 + b'", ' + BODY[1:]),
    "1 MB number": as_json({"phone": "+" + "4" * 1_000_000}),
    "deep": (JSON, b"[" * 16_000),
    "huge integer": (JSON, b'{"phone": "+447400123456", "x": ' + b"9" * 5_000 + b"}"),
    "NaN": (JSON, b'{"phone": NaN, "x": "+447400123456"}'),
    "form twice": form("phone=%2B447400123456&phone=%2B447400123457"),
    "form brackets": form("phone[]=%2B447400123456"),
    "form semicolon": form("phone=%2B447400123456;phone=%2B447400123457"),
    "form not UTF-8": form("phone=%FF"),
    "form as JSON": (JSON, b"phone=%2B447400123456"),
    "JSON as form": (FORM, BODY),
    "multipart": ("multipart/form-data; boundary=b", b"--b\r\n\r\n" + BODY),
    "multipart twice": (
        "multipart/form-data; boundary=b",
        b'--b\r\nContent-Disposition: form-data; name="phone"\r\n\r\n+447400123456\r\n' * 2
        + b"--b--\r\n",
    ),
    "text": ("text/plain", b"phone=%2B447400123456"),
    "XML": ("application/xml", BODY),
}


@pytest.mark.parametrize("case", BAD)
async def test_bad_input_is_a_problem_of_its_own_and_sends_nothing(case: str) -> None:
    content_type, body = BAD[case]
    outbox = Outbox()
    reply = await call(guarded(otp_app(outbox)), request(content_type=content_type), body)

    assert reply.is_problem, reply.messages
    assert outbox.sent == []
    assert PHONE not in reply.body.decode()


async def test_an_encoded_body_is_refused_before_it_is_unpacked() -> None:
    scope = request(headers={"content-encoding": "gzip"})
    reply = await call(guarded(otp_app(Outbox())), scope, gzip.compress(BODY))
    assert (reply.is_problem, reply.status) == (True, 415)


async def test_a_byte_a_second_is_too_slow() -> None:
    outbox = Outbox()
    app = guarded(otp_app(outbox), body_deadline=0.01)
    first: Message = {"type": "http.request", "body": b"{", "more_body": True}
    reply = await call(app, request(), scripted(first))

    assert (reply.is_problem, reply.status) == (True, 408)
    assert outbox.sent == []


async def test_a_client_that_hangs_up_mid_body_is_answered_by_nobody_and_counts_for_nothing() -> (
    None
):
    outbox = Outbox()
    app = guarded(otp_app(outbox))
    first: Message = {"type": "http.request", "body": BODY, "more_body": True}
    reply = await call(app, request(), scripted(first, DISCONNECT))

    assert reply.messages == []
    assert outbox.sent == []
    assert (await ask(app)).status == 202


async def test_unreadable_requests_use_up_nobodys_budget() -> None:
    app = guarded(otp_app(Outbox()), rules=(*one_per_minute(), *_network_limit()))
    for content_type, body in BAD.values():
        await call(app, request(content_type=content_type), body)
    assert (await ask(app)).status == 202


def _network_limit() -> tuple[RateLimit, ...]:
    return (RateLimit(name="network", by="network", limits="1/minute", counts="attempts"),)


@given(
    st.binary(max_size=80)
    | st.builds(
        lambda value, tail: json.dumps(value).encode() + tail,
        st.dictionaries(
            st.sampled_from(["phone", "code", "x"]),
            st.text(max_size=20) | st.integers() | st.none() | st.just(PHONE) | st.floats(),
        )
        | st.text(max_size=10),
        st.binary(max_size=2),
    )
    | st.lists(st.sampled_from([b"phone", b"=", b"&", b"%2B", PHONE.encode()]), max_size=9).map(
        b"".join
    ),
    st.sampled_from([JSON, FORM, "application/json; charset=utf-16", "text/plain", ""])
    | st.text(st.characters(max_codepoint=255), max_size=20),
    st.sampled_from(["/otp/send", "//otp/send/", "/OTP/send\n"]),
)
@settings(deadline=None, max_examples=300)
async def test_any_bytes_at_all_are_sent_to_the_number_that_was_read_or_are_a_problem(
    body: bytes, content_type: str, path: str
) -> None:
    app = Recorder()
    scope = request(path=path, content_type=content_type)
    reply = await call(guarded(app, code="code"), scope, body)

    if reply.status == 200:
        [decision] = app.decisions
        assert decision is not None
        assert app.received == [{"type": "http.request", "body": body, "more_body": False}]
    else:
        assert reply.is_problem
        assert reply.status in (400, 415, 422)
        assert not reply.json["type"].endswith("/bad-request")  # that would be a bug of ours
        assert app.scopes == []
