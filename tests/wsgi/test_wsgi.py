"""The guard in front of a WSGI app: what reaches the app, and what the server gets from it."""

from __future__ import annotations

import io
import json
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

from pumpguard import Decision, Policy, PolicyError, PumpGuardMiddleware, current_decision
from pumpguard.intake.network import UnknownNetworks
from pumpguard.loop_thread import LOOP
from pumpguard.rules import RateLimit
from pumpguard.wsgi import PumpGuardWSGI
from tests.asgi import FORM, JSON, PHONE

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

BODY = json.dumps({"phone": PHONE}).encode()


class Called:
    """A server's call of an app, and what it got."""

    def __init__(self, app: WSGIApplication, body: bytes = BODY, **environ: Any) -> None:
        self.environ: dict[str, Any] = {
            "REQUEST_METHOD": "POST", "SCRIPT_NAME": "", "PATH_INFO": "/otp/send",
            "CONTENT_TYPE": JSON, "CONTENT_LENGTH": str(len(body)), "QUERY_STRING": "",
            "REMOTE_ADDR": "198.51.100.7", "wsgi.input": io.BytesIO(body), **environ,
        }  # fmt: skip
        setup_testing_defaults(self.environ)
        self.status, self.headers = "", dict[str, str]()
        self.iterable = app(self.environ, self._start_response)

    def _start_response(self, status: str, headers: Any, exc_info: Any = None) -> Any:
        self.status, self.headers = status, {name.lower(): value for name, value in headers}
        return lambda data: None

    @property
    def body(self) -> bytes:
        try:
            return b"".join(self.iterable)
        finally:
            close: Callable[[], None] = getattr(self.iterable, "close", lambda: None)
            close()


def echo(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer with the body."""
    body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    start_response("202 Accepted", [("Content-Type", "text/plain")])
    return [body]


def guarded(
    app: WSGIApplication, on_decision: Callable[[Decision], None] | None = None, **settings: Any
) -> PumpGuardWSGI:
    """The app behind one limit: one message per phone and minute."""
    rules = [RateLimit(name="limit", by="phone", limits="1/minute")]
    policy = Policy(**{"send": "/otp/send", "rules": rules, "deadline": 10, **settings})
    return PumpGuardWSGI(app, policy, networks=UnknownNetworks(), on_decision=on_decision)


def test_by_the_book() -> None:
    """Python's own validator stands in front and behind."""
    app = validator(guarded(validator(echo)))
    admitted = Called(app)
    assert (admitted.body, admitted.status) == (BODY, "202 Accepted")
    refused = Called(app)
    assert json.loads(refused.body)["status"] == 429
    assert refused.status == "429 Too Many Requests"
    assert 0 < int(refused.headers["retry-after"]) <= 60


def test_the_middleware_is_the_same_one() -> None:
    """Nothing is decided here: it takes what that takes, and has the same guard."""
    app = guarded(echo)
    again = PumpGuardWSGI(echo, guard=app.guard)
    assert Called(app).body == BODY
    assert json.loads(Called(again).body)["status"] == 429
    with pytest.raises(TypeError):
        PumpGuardWSGI(echo)
    asgi: Any = app._asgi
    with pytest.raises(PolicyError, match=r"^app: .* pumpguard.PumpGuardMiddleware, got "):
        PumpGuardWSGI(asgi, guard=app.guard)
    assert issubclass(type(app._asgi), PumpGuardMiddleware)


def test_around_itself_it_decides_once() -> None:
    """The note of the guard outside reaches the one inside through the environment."""
    inner = guarded(echo)
    app = PumpGuardWSGI(inner, guard=inner.guard)
    assert [Called(app).body == BODY, json.loads(Called(app).body)["status"]] == [True, 429]


def test_an_unguarded_route_passes_untouched() -> None:
    """The very same environment and function, in no other thread's way."""
    seen: list[object] = []

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        seen.extend((environ, start_response))
        return [b"plain"]

    called = Called(guarded(app), PATH_INFO="/other")
    assert called.iterable == [b"plain"]
    assert seen == [called.environ, called._start_response]


@pytest.mark.parametrize("path", ["/otp/send", "/api/otp/send", "/otp//send", "/OTP/send/"])
def test_paths_are_matched_as_ever(path: str) -> None:
    """With ``SCRIPT_NAME``, and however they are spelt."""
    root = "/api" if path.startswith("/api") else ""
    app = guarded(echo)
    for expected in ("202", "429"):
        called = Called(app, SCRIPT_NAME=root, PATH_INFO=path.removeprefix(root))
        assert called.body
        assert called.status[:3] == expected


def test_the_app_runs_in_the_servers_thread_and_knows_the_decision() -> None:
    """So a wrapped sender in a synchronous view obeys it."""
    threads: list[object] = []

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        threads.append(threading.current_thread())
        decision = current_decision()
        start_response("200 OK", [])
        yield decision.attempt.phone.e164.encode() if decision else b""
        after = current_decision()
        yield b" still" if after is decision else b""

    assert Called(guarded(app)).body == f"{PHONE} still".encode()
    assert threads == [threading.current_thread()]
    assert current_decision() is None


def test_an_answer_streams_piece_by_piece() -> None:
    """The server has the first piece before the app makes the second."""
    events: list[str] = []

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        write = start_response("200 OK", [("Content-Type", "text/plain")])
        write(b"written ")
        for piece in ("one ", "two"):
            events.append(f"made {piece}")
            yield piece.encode()

    for piece in (called := Called(guarded(app))).iterable:
        events.append(f"got {piece.decode()}")
    assert events == ["made one ", "got written one ", "made two", "got two"]
    assert called.status == "200 OK"


def test_what_the_app_raises_is_the_servers_affair_and_not_charged() -> None:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        raise KeyError("a bug")

    guard = guarded(app).guard
    for _ in range(3):
        with pytest.raises(KeyError, match="a bug"):
            assert Called(PumpGuardWSGI(app, guard=guard)).body
    assert Called(PumpGuardWSGI(echo, guard=guard)).body == BODY


def test_a_client_that_leaves_in_the_middle_of_an_answer() -> None:
    """The app is told, once, in the server's thread."""
    closed: list[object] = []

    class Body:
        def __iter__(self) -> Iterator[bytes]:
            yield from (b"one", b"two", b"three")

        def close(self) -> None:
            closed.append(threading.current_thread())

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        return Body()

    called = Called(guarded(app))
    iterator = iter(called.iterable)
    assert next(iterator) == b"one"
    iterator.close()  # type: ignore[attr-defined]
    assert closed == [threading.current_thread()]
    assert Called(guarded(app)).body == b"onetwothree"
    assert len(closed) == 2


def test_a_body_that_cannot_be_read_reaches_nobody() -> None:
    """The connection broke: the app is not called, and nothing is counted."""

    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError("connection reset")

    app = guarded(echo)
    assert Called(app, BODY, **{"wsgi.input": Broken()}).body == b""
    assert Called(app).body == BODY


@pytest.mark.parametrize("size", [10, 70_000, 300_000])
def test_the_verify_route_reads_no_more_than_it_needs(size: int) -> None:
    """A body longer than the guard ever reads is the app's, to the last byte."""
    body = json.dumps({"phone": PHONE, "pad": "x" * size}).encode()
    app = guarded(echo, verify="/otp/verify")
    assert Called(app, body, PATH_INFO="/otp/verify").body == body


def test_a_body_without_a_length() -> None:
    """In chunks, as servers that can tell its end say so; from others there is none."""
    environ: dict[str, Any] = {"CONTENT_LENGTH": "", "wsgi.input_terminated": True}
    assert Called(guarded(echo), BODY, **environ).body == BODY
    del environ["wsgi.input_terminated"]
    refused = Called(guarded(echo), BODY, **environ)
    assert json.loads(refused.body)["status"] in (400, 422)


def test_forms_headers_and_unix_sockets_are_read_alike() -> None:
    """Text that is no ASCII, a header's dimension, and a peer without an address."""
    seen: list[Any] = []
    policy: dict[str, Any] = {"session": "header:x-session", "proxies": ["unix"]}
    app = guarded(echo, lambda decision: seen.append(decision.attempt), **policy)
    body = "phone=%2B44+7400+123456&note=ü".encode()
    environ = {"HTTP_X_SESSION": "abc", "HTTP_X_FORWARDED_FOR": "81.2.69.142", "REMOTE_ADDR": ""}
    assert Called(app, body, CONTENT_TYPE=FORM, **environ).body == body
    assert seen[0].phone.e164 == PHONE
    assert (seen[0].session, seen[0].client.address) == ("abc", "81.2.69.142")


def test_every_process_has_a_loop_of_its_own() -> None:
    """The app was used before the fork; the child decides all the same, over the same store."""
    app = guarded(echo)
    assert Called(app).body == BODY
    before = LOOP.loop
    child = os.fork()
    if child == 0:
        other = Called(app, json.dumps({"phone": "+447400123457"}).encode())
        os._exit(0 if b"457" in other.body and LOOP.loop is not before else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert LOOP.loop is before


def test_a_policy_that_monitors_lets_pass_what_it_cannot_read() -> None:
    """The app gets it whole, and answers it."""
    app = guarded(echo, mode="monitor")
    for body in (b'{"phone": "no number"}', b"no json", b"x" * 100_000):
        called = Called(app, body)
        assert called.body == body
        assert called.status == "202 Accepted"
    assert [Called(app).body for _ in range(3)] == [BODY] * 3


@pytest.mark.parametrize("begun", [False, True])
def test_an_error_in_the_middle_of_an_answer(begun: bool) -> None:
    """As PEP 3333 has it: an app may answer otherwise until something of its answer was sent; after
    that its error is the server's affair."""

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        try:
            if begun:
                yield b"half "
            yield environ["pumpguard.nothing"]
        except KeyError:
            start_response("500 Oops", [("Content-Type", "text/plain")], sys.exc_info())
            yield b"sorry"

    called = Called(guarded(app))
    if begun:
        with pytest.raises(KeyError, match=r"pumpguard\.nothing"):
            assert called.body
    else:
        assert (called.body, called.status[:3]) == (b"sorry", "500")
