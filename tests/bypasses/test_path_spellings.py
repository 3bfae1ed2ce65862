"""Writing the path or the method differently must not get around the guard.

Behind it stands the laxest app there can be: it sends a message for every request whatsoever.
"""

from __future__ import annotations

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from pumpguard import Policy, PumpGuardMiddleware
from pumpguard.testing import FakeClock
from tests.asgi import PHONE, ask
from tests.otp_app import Outbox, guarded, one_per_minute

SPELLINGS = [
    "/otp/send",
    "/otp/send/",
    "/otp//send",
    "//otp/send",
    "/OTP/SEND",
    "/otp/./send",
    "/otp/x/../send",
    "/otp/%73end",
    "/otp%2Fsend",
    "/otp/send%0A",
    "/otp/%2e/send",
    "/otp/x/%2e%2e/send",
    "/%6f%74%70/send",
    "/otp/send?x=1",
    "/otp/send#x",
]


def lax_app(outbox: Outbox) -> Starlette:
    """Sends whatever the path and the method."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        outbox.send(scope["path"])
        await JSONResponse({}, 202)(scope, receive, send)

    return Starlette(routes=[Mount("/", app=app)])


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_every_spelling_of_the_path_shares_one_limit(spelling: str) -> None:
    """Through an HTTP client, which decodes as servers do."""
    outbox = Outbox()
    transport = httpx.ASGITransport(guarded(lax_app(outbox)))
    async with httpx.AsyncClient(transport=transport) as client:
        for path in ("/otp/send", spelling):
            reply = await client.post(f"http://app{path}", json={"phone": PHONE})

    assert reply.status_code == 429
    assert len(outbox.sent) == 1


@pytest.mark.parametrize("method", ["POST", "post", "Post", "PUT", "PATCH", "DELETE", "BREW"])
async def test_every_method_that_may_send_shares_one_limit(method: str) -> None:
    outbox = Outbox()
    app = guarded(lax_app(outbox))
    await ask(app)
    assert (await ask(app, method=method)).status == 429
    assert len(outbox.sent) == 1


@pytest.mark.parametrize("method", ["HEAD", "get", "head", "Get"])
async def test_a_get_that_sends_shares_its_limit_with_everything_that_runs_it(method: str) -> None:
    outbox = Outbox()
    app = guarded(lax_app(outbox), send="GET /otp/{phone}", phone="path:phone")
    await ask(app, method="GET", path=f"/otp/{PHONE}")
    assert (await ask(app, method=method, path=f"/otp/{PHONE}")).status == 429
    assert len(outbox.sent) == 1


@pytest.mark.parametrize("tenant", ["acme", "..", ".", "acme\n", "..\n", "%2e%2e"])
async def test_a_parameter_that_looks_like_a_step_up_is_still_a_parameter(tenant: str) -> None:
    """Starlette's router sends ``/../otp/send`` to the tenant called ``..``."""
    outbox = Outbox()

    async def send(request: Request) -> Response:
        outbox.send(request.path_params["tenant"])
        return JSONResponse({}, 202)

    app = Starlette(routes=[Route("/t/{tenant}/otp/send", send, methods=["POST"])])
    middleware = guarded(app, send="/t/{tenant}/otp/send")
    await ask(middleware, path="/t/acme/otp/send")
    await ask(middleware, path=f"/t/{tenant}/otp/send")

    assert outbox.sent == ["acme"]


@pytest.mark.parametrize("where", ["outside", "inside"])
@pytest.mark.parametrize("path", ["/api/otp/send", "/api/otp/send\n", "/api//otp/send"])
@pytest.mark.parametrize("root_path", ["", "/behind/a/proxy"])
async def test_a_mounted_app_is_guarded_inside_and_outside(
    where: str, path: str, root_path: str
) -> None:
    outbox = Outbox()
    policy = Policy(
        send="/otp/send" if where == "inside" else "/api/otp/send", rules=one_per_minute()
    )
    guard = [Middleware(PumpGuardMiddleware, policy=policy, clock=FakeClock())]

    async def send(request: Request) -> Response:
        outbox.send(PHONE)
        return JSONResponse({}, 202)

    below = Starlette(
        routes=[Route("/otp/send", send, methods=["POST"])],
        middleware=guard if where == "inside" else [],
    )
    app = Starlette(
        routes=[Mount("/api", app=below)], middleware=guard if where == "outside" else []
    )
    for spelling in ("/api/otp/send", path, path):
        await ask(app, path=root_path + spelling, root_path=root_path)

    assert outbox.sent == [PHONE]
