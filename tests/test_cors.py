"""A refusal can be read from another origin where the app's own answers can be."""

from __future__ import annotations

import asyncio

import pytest
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pumpguard import PumpGuardMiddleware
from pumpguard.cors import as_the_app_allows
from tests.asgi import ask, request
from tests.otp_app import Outbox, guarded, otp_app

PAGE = "https://web.example"
ALLOWED = "access-control-allow-origin"


def behind(**cors: object) -> PumpGuardMiddleware:
    """The guard around the CORS middleware."""
    app = CORSMiddleware(otp_app(Outbox()), [PAGE], ["*"], **cors)  # type: ignore[arg-type]
    return guarded(app)


async def test_the_app_says_who_may_read_a_refusal() -> None:
    """As it does for its own answers, credentials included; the answer varies by origin."""
    app = behind(allow_credentials=True)
    headers = {"origin": PAGE, "cookie": "session=1"}
    own, refused = [await ask(app, headers=headers) for _ in range(2)]
    assert (own.status, refused.status) == (202, 429)
    assert refused.headers[ALLOWED] == own.headers[ALLOWED] == PAGE
    assert refused.headers["access-control-allow-credentials"] == "true"
    assert refused.headers["vary"] == "Origin"
    assert refused.headers["access-control-expose-headers"] == "Retry-After"


async def test_a_page_that_the_app_does_not_know_reads_nothing() -> None:
    app = behind()
    await ask(app)
    assert ALLOWED not in (await ask(app, headers={"origin": "https://evil.example"})).headers
    assert ALLOWED not in (await ask(app)).headers


async def test_in_front_of_the_guard_it_is_as_it_was() -> None:
    """One header, from where CORS is answered."""
    app = CORSMiddleware(guarded(otp_app(Outbox())), [PAGE], ["*"])
    replies = [await ask(app, headers={"origin": PAGE}) for _ in range(2)]
    for reply in replies:
        assert [name for name, _ in reply.messages[0]["headers"]].count(ALLOWED.encode()) == 1


async def _raises(scope: Scope, receive: Receive, send: Send) -> None:
    raise RuntimeError("OPTIONS was not expected")


async def _never_ends(scope: Scope, receive: Receive, send: Send) -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize("app", [_raises, _never_ends])
async def test_an_app_that_does_not_answer_changes_no_refusal(
    app: ASGIApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked for a second at most."""
    monkeypatch.setattr("pumpguard.cors.DEADLINE", 0.01)

    async def send(message: object) -> None:
        return

    assert await as_the_app_allows(app, request(headers={"origin": PAGE}), send) is send


async def test_the_app_is_asked_as_a_browser_asks_it() -> None:
    """Without cookies or a body; header names in any case are understood."""
    asked: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        asked.append(scope)
        assert await receive() == {"type": "http.request", "body": b"", "more_body": False}
        headers = [(b"Access-Control-Allow-Origin", b"*")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})
        assert (await receive())["type"] == "http.disconnect"

    sent: list[dict[str, object]] = []

    async def send(message: object) -> None:
        sent.append(message)  # type: ignore[arg-type]

    scope = request(headers={"origin": PAGE, "cookie": "a=b", "host": "app.example"})
    answer = await as_the_app_allows(app, scope, send)
    await answer({"type": "http.response.start", "status": 429, "headers": []})
    assert dict(asked[0]["headers"]) == {
        b"origin": PAGE.encode(), b"host": b"app.example",
        b"access-control-request-method": b"POST",
    }  # fmt: skip
    assert asked[0]["method"] == "OPTIONS"
    assert (b"access-control-allow-origin", b"*") in sent[0]["headers"]  # type: ignore[operator]


async def test_an_answer_in_pieces_is_heard_to_its_end() -> None:
    """And what the guard's own answer says already stays."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        allowed = [(ALLOWED.encode(), PAGE.encode())]
        await send({"type": "http.response.start", "status": 200, "headers": allowed})
        await send({"type": "http.response.body", "body": b"o", "more_body": True})
        await send({"type": "http.response.body", "body": b"k"})

    heard: list[Message] = []

    async def send(message: Message) -> None:
        heard.append(message)

    answer = await as_the_app_allows(app, request(headers={"origin": PAGE}), send)
    own = [(ALLOWED.encode(), b"*")]
    await answer({"type": "http.response.start", "status": 429, "headers": own})
    assert heard == [{"type": "http.response.start", "status": 429, "headers": own}]
