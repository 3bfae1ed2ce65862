"""What became of a request: the app's answer and the wrapped sender say it, and nothing is charged
for what was not sent, however soon the client comes again."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware.httpsredirect import HTTPSRedirectMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pumpguard import Policy, PumpGuardMiddleware, sender
from pumpguard.errors import MessageNotSent
from pumpguard.intake.conditions import SentWhen
from pumpguard.intake.network import UnknownNetworks
from pumpguard.notices import Notices
from pumpguard.rules import RateLimit
from pumpguard.shadow import answer
from pumpguard.shadow.answer import IN_VAIN, SILENT, Answers
from pumpguard.testing import FakeClock
from tests.asgi import PHONE, Reply, call, request

Answer = Callable[["Shop", Request], Awaitable[Response]]

LIMIT: dict[str, Any] = {"rules": {"phone_limit": {"limits": "1/minute; 3/hour"}}, "deadline": 10}


class Shop:
    """The default rules, in front of an app that answers as it is told; its provider may fail."""

    def __init__(self, answer: Answer, store: str = "memory://", **policy: Any) -> None:
        self.error: BaseException | None = None
        self.sent: list[str] = []
        self.clock = FakeClock()
        self.send = sender(self._provider)

        async def endpoint(request: Request) -> Response:
            return await answer(self, request)

        self.middleware = PumpGuardMiddleware(
            Starlette(routes=[Route("/otp/send", endpoint, methods=["POST"])]),
            Policy(**{"send": "/otp/send", "home": ["GB"], **LIMIT, **policy}),
            store, clock=self.clock, networks=UnknownNetworks(),
        )  # fmt: skip

    async def _provider(self, phone: str) -> None:
        if self.error is not None:
            raise self.error
        self.sent.append(phone)

    async def ask(self, phone: str = PHONE, address: str = "81.2.69.142", **fields: Any) -> Reply:
        body = json.dumps({"phone": phone, **fields}).encode()
        scope = request(client=(address, 4711), path=fields.get("path", "/otp/send"))
        return await call(self.middleware, scope, body)


async def by_status(shop: Shop, request: Request) -> Response:
    """Sends nothing, and answers as the request says; whole ones are sent."""
    status = (await request.json()).get("status")
    if status is None:
        await shop.send(PHONE)
    return JSONResponse({}, status or 202)


NOT_SENT = (301, 307, 308, 400, 401, 403, 404, 405, 409, 422, 429, 500, 503)


@pytest.mark.parametrize("status", NOT_SENT)
async def test_an_answer_that_says_nothing_was_sent_costs_nothing(status: int) -> None:
    """The corrected request goes through at once, and then the cooldown holds."""
    shop = Shop(by_status)
    assert [(await shop.ask(status=status)).status for _ in range(5)] == [status] * 5
    assert [(await shop.ask()).status for _ in range(2)] == [202, 429]
    assert shop.sent == [PHONE]


@pytest.mark.parametrize("status", [200, 204, 302, 303])
async def test_an_answer_that_messages_go_out_with_costs_one(status: int) -> None:
    """A queue may send it later, so that nobody was called says nothing."""
    shop = Shop(by_status)
    assert [(await shop.ask(status=status)).status for _ in range(2)] == [status, 429]


async def test_a_stranger_cannot_lock_a_numbers_owner_out() -> None:
    """Ten unfinished requests in two days cost him, and not the owner."""
    shop = Shop(by_status, rules=None)
    for _ in range(2):
        for _ in range(5):
            assert (await shop.ask(address="198.51.100.7", status=422)).status == 422
            shop.clock.advance(1_300)
        shop.clock.advance(86_400)
    assert (await shop.ask()).status == 202


async def as_the_provider(shop: Shop, request: Request) -> Response:
    """Answers 202, or 503 if the provider fails."""
    try:
        await shop.send(PHONE)
    except Exception:
        return JSONResponse({}, 503)
    return JSONResponse({}, 202)


async def test_after_an_outage_of_the_provider_everybody_gets_a_code() -> None:
    """Who tried three times in five minutes, too."""
    shop = Shop(as_the_provider, rules=None)
    shop.error = ConnectionRefusedError()
    for _ in range(3):
        assert (await shop.ask()).status == 503
        shop.clock.advance(100)
    shop.error = None
    assert (await shop.ask()).status == 202
    assert (await shop.ask()).status == 429


class ReadTimeout(Exception):
    """As clients of HTTP call it, who do not derive it from `TimeoutError`."""


@pytest.mark.parametrize("error", [TimeoutError(), ReadTimeout(), asyncio.CancelledError()])
async def test_a_provider_that_did_not_answer_in_time_may_have_sent(error: BaseException) -> None:
    """That counts as sent, whatever the app says."""
    shop = Shop(as_the_provider)
    shop.error = error
    if isinstance(error, Exception):
        assert (await shop.ask()).status == 503
    else:
        with pytest.raises(asyncio.CancelledError):
            await shop.ask()
    assert (await shop.ask()).status == 429


async def test_the_senders_word_counts_over_the_status() -> None:
    """An app that hides the provider's failure has not sent; one that fails after it has."""

    async def answer(shop: Shop, request: Request) -> Response:
        try:
            await shop.send(PHONE)
        except ValueError:
            return JSONResponse({}, 200)
        raise RuntimeError("a bug behind the message")

    shop = Shop(answer)
    shop.error = ValueError("no such number")
    assert [(await shop.ask()).status for _ in range(3)] == [200] * 3
    shop.error = None
    with pytest.raises(RuntimeError):
        await shop.ask()
    assert (await shop.ask()).status == 429


async def test_a_background_task_sends_after_the_answer() -> None:
    """And was not, when the answer was given."""

    async def answer(shop: Shop, request: Request) -> Response:
        return JSONResponse({}, 202, background=BackgroundTask(shop.send, PHONE))

    shop = Shop(answer)
    assert [(await shop.ask()).status for _ in range(2)] == [202, 429]
    shop.clock.advance(61)
    shop.error = ValueError("no such number")
    with pytest.raises(ValueError, match="no such"):
        await shop.ask()
    shop.error = None
    assert (await shop.ask()).status == 202


async def test_who_was_told_that_nothing_is_sent_is_sent_nothing_later() -> None:
    """What is given back must not go out after all."""

    async def answer(shop: Shop, request: Request) -> Response:
        return JSONResponse({}, 404, background=BackgroundTask(shop.send, PHONE))

    shop = Shop(answer)
    with pytest.raises(MessageNotSent):
        await shop.ask()
    assert shop.sent == []


async def quiet(shop: Shop, request: Request) -> Response:
    """Answers alike, whether there is an account or not."""
    if (await request.json())["phone"] == PHONE:
        await shop.send(PHONE)
    return JSONResponse({}, 200)


OTHERS = [f"+447400{130_000 + 8_209 * n}" for n in range(100)]


async def test_an_endpoint_that_answers_alike_is_told_by_its_sender() -> None:
    """Whose silence says something once it has been heard there."""
    shop = Shop(quiet, sent_when="sender")
    assert [(await shop.ask(OTHERS[0])).status for _ in range(2)] == [200, 429]
    assert [(await shop.ask()).status for _ in range(2)] == [200, 429]
    assert [(await shop.ask(OTHERS[1])).status for _ in range(3)] == [200] * 3


async def test_a_sender_that_is_never_called_is_missed(caplog: pytest.LogCaptureFixture) -> None:
    """Until it is, all count as sent; that is said, once."""
    shop = Shop(quiet, sent_when="sender", rules=(RateLimit(by="phone", limits="1/day"),))
    for phone in OTHERS[: 2 * SILENT]:
        await shop.ask(phone)
    assert [r.message[:5] for r in caplog.records].count("PG065") == 1
    assert "none of 20 answers of /otp/send came with a call" in caplog.text


@pytest.mark.parametrize(
    ("sent_when", "status", "said"),
    [(200, 202, True), (lambda status: None, 303, True), ("2xx", 422, False), ("2xx", 307, False)],
)
async def test_a_success_that_never_counts_as_sent_is_said(
    sent_when: Any, status: int, said: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """No limit holds then. What fails, or leads to another address, is right not to count."""
    shop = Shop(by_status, sent_when=sent_when)
    for n, phone in enumerate(OTHERS[: 2 * IN_VAIN]):
        await shop.ask(phone, status=status)
        lines = [r.message[:5] for r in caplog.records].count("PG063")
        assert lines == (said and n + 1 >= IN_VAIN)


async def test_one_that_counts_begins_anew(caplog: pytest.LogCaptureFixture) -> None:
    """Here some answers of 202 are of messages that went out."""
    shop = Shop(by_status, sent_when=200)
    for n, phone in enumerate(OTHERS[: 3 * IN_VAIN]):
        await shop.ask(phone, status=202 if (n + 1) % IN_VAIN else 200)
    assert "PG063" not in caplog.text


async def test_where_the_sender_says_it_a_quiet_answer_is_no_fault(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nobody has these accounts."""
    shop = Shop(quiet, sent_when="sender")
    await shop.ask()
    for phone in OTHERS[: 2 * IN_VAIN]:
        await shop.ask(phone)
    assert "PG063" not in caplog.text


async def test_a_function_may_say_which_answers_send() -> None:
    """Of the status."""
    shop = Shop(by_status, sent_when=lambda status: status == 422)
    assert [(await shop.ask(status=422)).status for _ in range(2)] == [422, 429]
    assert [(await shop.ask(OTHERS[0], status=200)).status for _ in range(3)] == [200] * 3


async def test_a_function_that_raises_gives_nothing_back(caplog: pytest.LogCaptureFixture) -> None:
    """And says so."""
    shop = Shop(by_status, sent_when=lambda status: 1 / 0)
    assert [(await shop.ask(status=422)).status for _ in range(2)] == [422, 429]
    assert "PG066" in caplog.text


async def test_an_app_that_answers_nothing_may_have_sent() -> None:
    """Its message is not given back."""

    async def silent(scope: Any, receive: Any, send: Any) -> None:
        """Nothing."""

    guarded = PumpGuardMiddleware(
        silent, Policy(send="/otp/send", **LIMIT), clock=FakeClock(), networks=UnknownNetworks()
    )
    body = json.dumps({"phone": PHONE}).encode()
    await call(guarded, request(), body)
    assert (await call(guarded, request(), body)).status == 429


class Ask(BaseModel):
    """What the redirected app reads."""

    phone: str


def redirecting(path: str, *, https: bool, store: str, name: str) -> tuple[Any, list[str]]:
    """An app whose framework, or middleware, sends clients to the right place first."""
    app, sent = FastAPI(), list[str]()

    @app.post(path)
    async def send(ask: Ask) -> dict[str, bool]:
        sent.append(ask.phone)
        return {"ok": True}

    if https:
        app.add_middleware(HTTPSRedirectMiddleware)
    policy = Policy(send="/otp/send", home=["GB"], name=name, deadline=10)
    return PumpGuardMiddleware(app, policy, store, networks=UnknownNetworks()), sent


@pytest.mark.parametrize("store", ["memory", "valkey"])
@pytest.mark.parametrize(
    ("path", "asked", "https"),
    [
        ("/otp/send", "/otp/send", False),
        ("/otp/send", "/otp/send/", False),
        ("/otp/send/", "/otp/send", False),
        ("/otp/send", "/otp/send", True),
    ],
)
async def test_who_is_redirected_gets_one_code(
    path: str, asked: str, https: bool, store: str, request: pytest.FixtureRequest, name: str
) -> None:
    """The slash, or https: the client follows at once, and is no second attempt."""
    url = "memory://" if store == "memory" else request.getfixturevalue("valkey_url")
    app, sent = redirecting(path, https=https, store=url, name=name)
    transport = httpx.ASGITransport(app, client=("81.2.69.142", 4711))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://app.example", follow_redirects=True
    ) as client:
        for phone in OTHERS[:3]:
            assert (await client.post(asked, json={"phone": phone})).status_code == 200
            assert (await client.post(asked, json={"phone": phone})).status_code == 429
    assert sent == OTHERS[:3]
    await app.guard.aclose()


@pytest.mark.parametrize("store", ["memory", "valkey"])
def test_who_is_redirected_over_a_socket_gets_one_code_every_time(
    store: str, request: pytest.FixtureRequest, name: str
) -> None:
    """A client that follows faster than anything could be told behind the reply."""
    url = "memory://" if store == "memory" else request.getfixturevalue("valkey_url")
    app, sent = redirecting("/otp/send", https=False, store=url, name=name)
    config = uvicorn.Config(app, port=0, ws="none", log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        thread.join(0.01)
        assert thread.is_alive()
    origin = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        with httpx.Client(base_url=origin, follow_redirects=True) as client:
            codes = [client.post("/otp/send/", json={"phone": phone}) for phone in OTHERS[:10]]
    finally:
        server.should_exit = True
        thread.join()
    assert [reply.status_code for reply in codes] == [200] * 10
    assert sent == OTHERS[:10]


async def test_a_route_with_parameters_is_one_route() -> None:
    """Wherever in the path an attacker may choose, nothing is remembered of it."""
    answers = Answers(SentWhen("sender"), Notices())
    found = {
        answers.route({"type": "http", "path": f"/u/{n}/code"}, {"user": str(n)}) for n in range(9)
    }
    assert found == {"/u/{user}/code"}


async def test_routes_are_remembered_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that calls its sender is known for it; what is forgotten has only to say so again."""
    monkeypatch.setattr(answer, "MAX_REMEMBERED", 3)
    answers = Answers(SentWhen("sender"), Notices())
    for n in range(10):
        assert not answers.silence_says(f"/silent/{n}", called=False)
        answers.silence_says(f"/{n}", called=True)
        assert answers.silence_says(f"/{n}", called=False)
        assert len(answers._heard) <= 3
        assert len(answers._silent) <= 3
