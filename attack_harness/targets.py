"""Two ways to reach the app under attack: straight through ASGI, or over real sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from types import TracebackType
from typing import Any, NamedTuple, Protocol, Self, TypeAlias
from urllib.parse import unquote

import httpx

from .actors import NO_JSON, Call, Json, Reply

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
AsgiApp: TypeAlias = Callable[[Message, Receive, Send], Awaitable[None]]


class Target(Protocol):
    """Something that answers calls at a simulated time."""

    concurrent: bool
    """Whether calls that fall into the same tick may run at once."""

    async def call(self, call: Call, at: float) -> Reply:
        """Perform one call at one simulated moment."""
        ...


def _seconds(value: str | None) -> float | None:
    # An HTTP date is a legal Retry-After, but no app in a simulation sends one.
    return float(value) if value and value.replace(".", "", 1).isdigit() else None


def _json(body: bytes) -> Json:
    try:
        decoded = json.loads(body)
    except ValueError:
        return NO_JSON
    return decoded if isinstance(decoded, dict) else NO_JSON


class Answer(NamedTuple):
    """What an app has answered."""

    status: int
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes

    def header(self, name: str) -> str | None:
        """The first header of that name."""
        found = (v for k, v in self.headers if k.lower() == name.encode())
        value = next(found, None)
        return None if value is None else value.decode()


class InProcess:
    """Calls an ASGI app directly with a hand-built scope; a client library would cost more time
    than the guard that is being measured."""

    concurrent = False

    def __init__(self, app: AsgiApp) -> None:
        self._app = app
        self._lifespan: asyncio.Task[None] | None = None
        self._to_lifespan: asyncio.Queue[Message] = asyncio.Queue()
        self._from_lifespan: asyncio.Queue[Message] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
        self._state: dict[str, Any] = scope["state"]  # type: ignore[assignment]
        self._lifespan = asyncio.create_task(
            self._app(scope, self._to_lifespan.get, self._from_lifespan.put)  # type: ignore[arg-type]
        )
        await self._phase("startup")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self._phase("shutdown")
        assert self._lifespan is not None  # noqa: S101
        await asyncio.gather(self._lifespan, return_exceptions=True)

    async def _phase(self, phase: str) -> None:
        assert self._lifespan is not None  # noqa: S101
        await self._to_lifespan.put({"type": f"lifespan.{phase}"})
        answer = asyncio.ensure_future(self._from_lifespan.get())
        await asyncio.wait({answer, self._lifespan}, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():  # an app without a lifespan simply returns or raises: that is legal
            answer.cancel()
        elif answer.result()["type"].endswith("failed"):
            raise RuntimeError(f"the app's {phase} failed: {answer.result().get('message', '')}")

    async def call(self, call: Call, at: float) -> Reply:
        """Run the app once, to its very end, so that background work is done as well."""
        headers = [(b"x-sim-time", repr(at).encode())]
        body = b""
        if call.json is not None:
            body = json.dumps(call.json).encode()
            headers.append((b"content-type", b"application/json"))
            headers.append((b"content-length", b"%d" % len(body)))
        if call.address is not None:
            headers.append((b"x-forwarded-for", call.address.encode()))
        if call.human:
            headers.append((b"x-sim-human", b"1"))
        answer = await self.ask(call.method, call.path, headers, body)
        return Reply(at, answer.status, _json(answer.body), _seconds(answer.header("retry-after")))

    async def ask(
        self, method: str, path: str, headers: Sequence[tuple[bytes, bytes]], body: bytes
    ) -> Answer:
        """The same for any request."""
        request: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
        head: Message = {}
        parts: list[bytes] = []
        over = asyncio.Event()

        async def receive() -> Message:
            if request:
                return request.pop()
            await over.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                head.update(message)
            elif message["type"] == "http.response.body":
                parts.append(message.get("body", b""))
                if not message.get("more_body", False):
                    over.set()

        raw, _, query = path.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(raw),  # as servers do
            "raw_path": raw.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(b"host", b"app.example"), *headers],
            "client": ("127.0.0.1", 1234),
            "server": ("app.example", 80),
            "state": dict(self._state),
        }
        await self._app(scope, receive, send)
        return Answer(head["status"], head["headers"], b"".join(parts))


class OverHttp:
    """Calls a running server over real sockets, many at a time."""

    concurrent = True

    def __init__(self, url: str, at_once: int = 64) -> None:
        self._url = url
        self._places = asyncio.Semaphore(at_once)
        self._at_once = at_once

    async def __aenter__(self) -> Self:
        limits = httpx.Limits(max_connections=self._at_once)
        # Never a proxy of the environment: the target is on this machine.
        self._client = httpx.AsyncClient(limits=limits, timeout=30, trust_env=False)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self._client.aclose()

    async def call(self, call: Call, at: float) -> Reply:
        """Send one request, waiting for a free place among the concurrent ones."""
        headers: Mapping[str, str] = {
            "X-Sim-Time": repr(at),
            **({"X-Forwarded-For": call.address} if call.address else {}),
            **({"X-Sim-Human": "1"} if call.human else {}),
        }
        async with self._places:
            answer = await self._client.request(
                # Joined here: to a client library a path like //otp/send would name a host.
                call.method,
                self._url + call.path,
                json=call.json,
                headers=headers,
            )
        after = _seconds(answer.headers.get("retry-after"))
        return Reply(at, answer.status_code, _json(answer.content), after)
