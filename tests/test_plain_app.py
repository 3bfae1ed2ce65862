"""Taken as someone else's code: plain apps that know nothing of pumpguard, and one line more.

Everything they could do before, they still do.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypedDict

import pytest
from fastapi import BackgroundTasks, Depends, FastAPI, Form, HTTPException, WebSocket
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket as StarletteWebSocket

from pumpguard import Policy, PumpGuardMiddleware
from tests.asgi import PHONE, arriving, ask, call, request
from tests.conftest import PATIENT
from tests.http_client import TestClient

OTHER = "+447400123457"


class Ask(BaseModel):
    """What the form on the sign-up page sends."""

    phone: str
    name: str = "you"


class State(TypedDict):
    """What the app sets up when it starts."""

    provider: list[str]


def plain_app() -> FastAPI:
    """An app as the tutorial teaches them."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[State]:
        provider: list[str] = []
        yield {"provider": provider}
        provider.append("closed")

    app = FastAPI(lifespan=lifespan, title="Plain")
    app.state.log = []

    def caller(request: Request) -> str:
        return request.headers.get("x-caller", "nobody")

    @app.post("/otp/send", status_code=202)
    async def send(
        ask: Ask, request: Request, tasks: BackgroundTasks, who: str = Depends(caller)
    ) -> dict[str, str]:
        if ask.name == "teapot":
            raise HTTPException(418, "short and stout")
        request.state.provider.append(ask.phone)
        tasks.add_task(app.state.log.append, ask.name)
        return {"status": "sent", "who": who}

    @app.post("/otp/form", status_code=202)
    def send_form(request: Request, phone: str = Form(), name: str = Form("you")) -> dict[str, str]:
        request.state.provider.append(phone)
        return {"status": "sent", "name": name}

    @app.post("/otp/stream")
    async def send_and_tell(ask: Ask) -> Response:
        async def progress() -> AsyncIterator[bytes]:
            for step in (b"one ", b"two ", b"three"):
                yield step

        return StreamingResponse(progress(), media_type="text/plain")

    @app.get("/stream")
    async def stream() -> Response:
        async def parts() -> AsyncIterator[bytes]:
            for part in (b"a", b"b", b"c"):
                yield part

        return StreamingResponse(parts())

    @app.websocket("/otp/send")
    async def talk(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text((await websocket.receive_text()).upper())
        await websocket.close()

    @app.get("/where")
    async def where(request: Request) -> dict[str, Any]:
        return {"root_path": request.scope["root_path"], "url": str(request.url_for("where"))}

    sub = FastAPI()

    @sub.post("/otp/send", status_code=202)
    async def send_below(ask: Ask) -> dict[str, str]:
        return {"status": "sent below"}

    app.mount("/v2", sub)
    return app


def patient(name: str, *send: str) -> Policy:
    """The default policy, whose store may take its time on a busy machine."""
    return Policy(send=send or "/otp/send", name=name, deadline=PATIENT)


@pytest.fixture(params=["memory", "valkey"])
def store(request: pytest.FixtureRequest, valkey_url: str) -> str:
    """Both ways to write the one line."""
    return "memory://" if request.param == "memory" else valkey_url


@pytest.fixture
def app(store: str, name: str) -> FastAPI:
    """The plain app, and one line more."""
    app = plain_app()
    policy = Policy(
        send=("/otp/send", "/otp/form", "/otp/stream", "/v2/otp/send"), name=name, deadline=PATIENT
    )
    app.add_middleware(PumpGuardMiddleware, policy=policy, store=store)
    return app


@pytest.fixture
def client(app: FastAPI) -> Any:
    """A browser, from the first request to the app's shutdown."""
    with TestClient(app, client=("86.130.0.1", 50_000)) as client:
        yield client


def test_a_code_is_sent_once_and_the_second_request_waits(client: TestClient) -> None:
    sent = client.post("/otp/send", json={"phone": PHONE}, headers={"x-caller": "me"})
    again = client.post("/otp/send", json={"phone": PHONE})

    assert (sent.status_code, sent.json()) == (202, {"status": "sent", "who": "me"})
    assert again.status_code == 429
    assert client.app_state["provider"] == [PHONE]


def test_forms_and_plain_functions_work(client: TestClient) -> None:
    sent = client.post("/otp/form", data={"phone": PHONE, "name": "é&="})
    assert (sent.status_code, sent.json()) == (202, {"status": "sent", "name": "é&="})
    assert client.post("/otp/form", data={"phone": PHONE}).status_code == 429


def test_all_guarded_routes_share_the_limit(client: TestClient) -> None:
    assert client.post("/otp/send", json={"phone": PHONE}).status_code == 202
    assert client.post("/otp/form", data={"phone": PHONE}).status_code == 429
    assert client.post("/v2/otp/send", json={"phone": PHONE}).status_code == 429


def test_the_documentation_is_unchanged(client: TestClient) -> None:
    with TestClient(plain_app()) as plain:
        for path in ("/docs", "/redoc", "/openapi.json"):
            assert client.get(path).content == plain.get(path).content


def test_validation_and_errors_stay_the_apps_own(client: TestClient) -> None:
    invalid = client.post("/otp/send", json={"phone": PHONE, "name": 5})
    assert invalid.status_code == 422
    assert invalid.json()["detail"][0]["loc"] == ["body", "name"]

    teapot = client.post("/otp/send", json={"phone": OTHER, "name": "teapot"})
    assert (teapot.status_code, teapot.json()) == (418, {"detail": "short and stout"})
    assert client.post("/nowhere").status_code == 404
    assert client.delete("/stream").status_code == 405


def test_background_tasks_run(client: TestClient, app: FastAPI) -> None:
    client.post("/otp/send", json={"phone": PHONE, "name": "later"})
    assert app.state.log == ["later"]


def test_websockets_work_even_on_a_guarded_path(client: TestClient) -> None:
    with client.websocket_connect("/otp/send") as socket:
        socket.send_text("hello")
        assert socket.receive_text() == "HELLO"


def test_a_mounted_app_works(client: TestClient) -> None:
    sent = client.post("/v2/otp/send", json={"phone": PHONE})
    assert (sent.status_code, sent.json()) == (202, {"status": "sent below"})


def test_a_mounted_app_can_have_the_middleware_for_itself(store: str, name: str) -> None:
    outer, inner = FastAPI(), plain_app()
    inner.add_middleware(
        PumpGuardMiddleware,
        policy=patient(name, "/otp/stream"),
        store=store,
    )
    outer.mount("/api", inner)
    with TestClient(outer) as client:
        statuses = [
            client.post("/api/otp/stream", json={"phone": PHONE}).status_code for _ in range(2)
        ]
    assert statuses == [200, 429]


@pytest.mark.parametrize("path", ["/otp/send", "/api/otp/send"])
def test_a_root_path_works_whether_the_proxy_strips_it_or_not(app: FastAPI, path: str) -> None:
    with TestClient(app, root_path="/api") as client:
        assert client.get("/where").json()["root_path"] == "/api"
        assert client.post(path, json={"phone": PHONE}).status_code == 202
        assert client.post(path, json={"phone": PHONE}).status_code == 429


def test_lifespan_state_reaches_the_endpoints_and_shutdown_runs(app: FastAPI) -> None:
    with TestClient(app) as client:
        client.post("/otp/send", json={"phone": PHONE})
        provider = client.app_state["provider"]
        assert provider == [PHONE]
    assert provider == [PHONE, "closed"]


@pytest.mark.parametrize(("method", "path"), [("GET", "/stream"), ("POST", "/otp/stream")])
async def test_streams_arrive_piece_by_piece(app: FastAPI, method: str, path: str) -> None:
    """Guarded or not, nothing collects or merges what the app sends."""
    if method == "POST":
        reply = await ask(app, path=path)
    else:
        reply = await call(app, request(method, path))

    assert [chunk for chunk in reply.chunks if chunk] in (
        [b"a", b"b", b"c"],
        [b"one ", b"two ", b"three"],
    )
    assert len(reply.messages) == len(reply.chunks) + 1 >= 4


async def test_a_stream_starts_before_it_ends(store: str, name: str) -> None:
    """The first piece is with the client while the app still works on the second."""
    first_arrived = asyncio.Event()

    async def send(request: Request) -> Response:
        async def parts() -> AsyncIterator[bytes]:
            yield b"first"
            await first_arrived.wait()
            yield b"second"

        return StreamingResponse(parts())

    async def hear(message: Any) -> None:
        if message.get("body") == b"first":
            first_arrived.set()

    plain = Starlette(routes=[Route("/otp/send", send, methods=["POST"])])
    policy = patient(name)
    app = PumpGuardMiddleware(plain, policy, store)
    body = b'{"phone": "+447400123456"}'
    async with asyncio.timeout(10):
        await app(request(), arriving(body), hear)
    await app.guard.aclose()

    assert first_arrived.is_set()


def test_other_middleware_may_stand_inside_and_outside(store: str, name: str) -> None:
    app = plain_app()
    app.add_middleware(GZipMiddleware, minimum_size=1)
    app.add_middleware(
        PumpGuardMiddleware,
        policy=patient(name),
        store=store,
    )

    @app.middleware("http")
    async def stamp(request: Request, call_next: Any) -> Response:
        response: Response = await call_next(request)
        response.headers["x-stamp"] = "here"
        return response

    with TestClient(app) as client:
        sent = client.post("/otp/send", json={"phone": PHONE})
        again = client.post("/otp/send", json={"phone": PHONE})

    assert (sent.status_code, again.status_code) == (202, 429)
    assert sent.headers["content-encoding"] == "gzip"
    assert {sent.headers["x-stamp"], again.headers["x-stamp"]} == {"here"}


def test_plain_starlette_works_the_same_way(store: str, name: str) -> None:
    async def send(request: Request) -> Response:
        return JSONResponse({"to": (await request.json())["phone"]}, 202)

    async def talk(websocket: StarletteWebSocket) -> None:
        await websocket.accept()
        await websocket.send_text("hello")
        await websocket.close()

    def below(request: Request) -> Response:
        return PlainTextResponse("below")

    app = Starlette(
        routes=[
            Route("/otp/send", send, methods=["POST"]),
            WebSocketRoute("/talk", talk),
            Mount("/sub", routes=[Route("/", below)]),
        ]
    )
    app.add_middleware(
        PumpGuardMiddleware,
        policy=patient(name),
        store=store,
    )
    with TestClient(app) as client:
        assert client.post("/otp/send", json={"phone": PHONE}).json() == {"to": PHONE}
        assert client.post("/otp/send", json={"phone": PHONE}).status_code == 429
        assert client.get("/sub/").text == "below"
        with client.websocket_connect("/talk") as socket:
            assert socket.receive_text() == "hello"
