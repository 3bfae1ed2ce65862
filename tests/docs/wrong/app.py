"""The small app that wrong set-ups are put in front of."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from inspect import isawaitable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from pumpguard import current_decision

Deliver = Callable[[str], Awaitable[object] | object]


class App:
    """Sends codes and takes them. ``deliver`` sends; ``verified`` is what a code is answered."""

    def __init__(
        self,
        send: str = "/otp/send",
        verify: str = "/otp/verify",
        *,
        deliver: Deliver = lambda phone: "SM1",
        verified: Callable[[], Response] = lambda: JSONResponse({"ok": True}),
    ) -> None:
        self._deliver, self._verified = deliver, verified
        self.app = Starlette(
            routes=[
                Route(send, self._send, methods=["GET", "POST", "PUT"]),
                Route(verify, self._verify, methods=["POST"]),
                WebSocketRoute(send, self._socket),
            ]
        )

    async def _send(self, request: Request) -> Response:
        await request.body()
        decision = current_decision()
        sent = self._deliver(decision.attempt.phone.e164 if decision else "somebody")
        if isawaitable(sent):
            await sent
        return JSONResponse({"status": "sent"}, 202)

    async def _verify(self, request: Request) -> Response:
        await request.body()
        return self._verified()

    async def _socket(self, socket: WebSocket) -> None:
        await socket.accept()
        await socket.close()
