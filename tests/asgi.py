"""HTTP spoken to an app in ASGI itself, so that a test can say what no HTTP client would."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
PHONE = "+447400123456"
"""An allocated British mobile number."""


@dataclass
class Reply:
    """What the app sent, message by message."""

    messages: list[Message] = field(default_factory=list)

    async def send(self, message: Message) -> None:
        """The ``send`` to give to the app."""
        self.messages.append(message)

    @property
    def status(self) -> int:
        """The status code; fails if the app never answered."""
        found: int = self.messages[0]["status"]
        return found

    @property
    def headers(self) -> dict[str, str]:
        """The headers by lower-case name."""
        return {name.decode(): value.decode() for name, value in self.messages[0]["headers"]}

    @property
    def chunks(self) -> list[bytes]:
        """The body as it was sent."""
        return [m.get("body", b"") for m in self.messages if m["type"] == "http.response.body"]

    @property
    def body(self) -> bytes:
        """The whole body."""
        return b"".join(self.chunks)

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def is_problem(self) -> bool:
        """Whether this is a complete problem of the 4xx kind that repeats its own status, and how
        long to wait if a header says it."""
        return (
            400 <= self.status < 500
            and self.headers["content-type"] == "application/problem+json"
            and self.json.keys() - {"retry_after", "reference"}
            == {"type", "title", "status", "detail"}
            and self.json["status"] == self.status
            and str(self.json.get("retry_after")) == self.headers.get("retry-after", "None")
        )


def request(
    method: str = "POST",
    path: str = "/otp/send",
    *,
    content_type: str | None = JSON,
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    query: str = "",
    client: tuple[str, int] | None = ("198.51.100.7", 4711),
    root_path: str = "",
) -> Scope:
    """The scope of one request; ``headers`` may name one header several times."""
    lines = list(headers.items() if isinstance(headers, Mapping) else headers)
    if content_type is not None:
        lines.append(("content-type", content_type))
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode("utf-8", "surrogatepass"),
        "root_path": root_path,
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in lines],
        "client": client,
        "server": ("testserver", 80),
    }


def arriving(*chunks: bytes, then: Message | None = None) -> Receive:
    """A ``receive`` that delivers the chunks of one whole body, and ``then``, or nothing ever."""
    parts = chunks or (b"",)
    last = len(parts) - 1
    return scripted(
        *(
            {"type": "http.request", "body": part, "more_body": i < last}
            for i, part in enumerate(parts)
        ),
        *([then] if then else []),
    )


def scripted(*messages: Message) -> Receive:
    """A ``receive`` that delivers these messages, and then nothing ever."""
    waiting = list(messages)

    async def receive() -> Message:
        if waiting:
            return waiting.pop(0)
        return await asyncio.Future()

    return receive


async def started(app: ASGIApp) -> asyncio.Task[None]:
    """The app's life, once it has started: some answer nothing before."""
    begun = asyncio.Event()

    async def send(message: Message) -> None:
        begun.set()

    life: Any = app({"type": "lifespan"}, scripted({"type": "lifespan.startup"}), send)
    task = asyncio.create_task(life)
    await begun.wait()
    return task


DISCONNECT: Message = {"type": "http.disconnect"}


async def call(app: ASGIApp, scope: Scope, receive: Receive | bytes = b"") -> Reply:
    """Put one request to the app; a body may be given for a ``receive``."""
    reply = Reply()
    await app(scope, arriving(receive) if isinstance(receive, bytes) else receive, reply.send)
    return reply


async def ask(app: ASGIApp, phone: object = PHONE, **scope: Any) -> Reply:
    """Ask for a code in JSON."""
    return await call(app, request(**scope), json.dumps({"phone": phone}).encode())


async def pipelined(app: ASGIApp, path: str, *bodies: bytes) -> list[int]:
    """The statuses of requests that wait on one connection. As servers do, each is begun where the
    answer before it ends: in the context of that request, whose app may be at work still."""
    waiting, begun, statuses = list(bodies), list[asyncio.Future[None]](), list[int]()

    def begin() -> None:
        body = waiting.pop(0)
        scope = request(path=path, headers={"content-length": str(len(body))})
        begun.append(asyncio.ensure_future(app(scope, arriving(body), send)))

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])
        elif not message.get("more_body", False) and waiting:
            begin()

    begin()
    while begun:
        await begun.pop(0)
    return statuses
