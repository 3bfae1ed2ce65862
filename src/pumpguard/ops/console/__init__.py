"""The operator's page: posture and lists, recent decisions, exposure, and forms to change them.

An ASGI app, to be mounted in an app or served beside it.
"""

from __future__ import annotations

from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pumpguard.errors import ClientGone, IntakeError
from pumpguard.guard import Guard
from pumpguard.intake.address import TrustedProxies
from pumpguard.ops.console.api import Api
from pumpguard.ops.console.auth import Authenticator
from pumpguard.ops.console.fleet_pages import FleetPages
from pumpguard.ops.console.frame import Frame
from pumpguard.ops.console.pages import Pages
from pumpguard.ops.console.view import View
from pumpguard.ops.fleet import Fleet
from pumpguard.ops.fleet.desk import desk_of
from pumpguard.replies import Problem, unreadable

__all__ = ["Console"]

STATIC = Path(__file__).parent / "static"
FILES = {"console.css": "text/css", "console.js": "text/javascript", "icon.svg": "image/svg+xml"}

HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; script-src 'self'; "
    "img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    # Not "no-referrer": with it, browsers say "Origin: null" of our own forms.
    "referrer-policy": "same-origin",
}
"""Of every answer."""


class Console:
    """The operator's page for a guard: ``app.mount("/pumpguard", Console(guard, token=…))``.

    ``token`` lets people and programs in: at least 24 random characters, the same in all processes
    that serve the page. ``secure`` says whether browsers reach it by HTTPS only (the cookie's
    ``Secure``); by default as each request says. ``judges_nothing``: no requests are judged in this
    process. Raises `PolicyError`.
    """

    def __init__(
        self, guard: Guard, *, token: str, secure: bool | None = None, judges_nothing: bool = False
    ) -> None:
        policy, clock = guard.policy, guard.overrides.now
        proxies = TrustedProxies(policy.proxies, policy.proxy_header)
        auth = Authenticator(token, clock, proxies, secure)
        desk = desk_of(guard)
        self.fleet = None if judges_nothing else Fleet(guard)
        self.view = View(guard, desk, self.fleet)
        frame = Frame(guard, self.view, auth)
        routes = [*Pages(frame).routes(), *Api(guard, auth, desk).routes()]
        if desk is not None:
            routes += FleetPages(frame, desk).routes()
        self._router: ASGIApp = Router([*routes, Route("/static/{name}", _static)])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._router(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        try:
            await self._router(scope, receive, with_headers)
        except HTTPException as error:  # no such path, or not by this method
            detail = "There is no such page."
            problem = Problem(error.status_code, "not-here", error.detail, detail)
            await problem(scope, receive, with_headers)
        except IntakeError as error:
            await unreadable(error)(scope, receive, with_headers)
        except ClientGone:
            return


async def _static(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in FILES:
        return Problem(404, "not-found", "Not found", "There is no such file.")
    return FileResponse(STATIC / name, media_type=FILES[name])
