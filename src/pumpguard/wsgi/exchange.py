"""One request between two threads: the guard's event loop decides, the server's thread does all
that may block, which is reading the body, running the app, and answering."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextvars import copy_context
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pumpguard.loop_thread import LOOP, Waiting
from pumpguard.wsgi.scope import environ_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

CHUNK = 65_536
"""Bytes of a body that are read at a time."""


class Exchange:
    """The request of a WSGI server, for an ASGI middleware. ``receive`` and ``send`` are the
    middleware's, and `run` is the app that it stands around; `answer` is the server's."""

    def __init__(self, app: WSGIApplication, environ: WSGIEnvironment, max_body: int) -> None:
        self._app = app
        self._environ = environ
        self._max_body = max_body
        self._left = int(environ.get("CONTENT_LENGTH") or 0)
        self._chunked = not self._left and bool(environ.get("wsgi.input_terminated"))
        self._waiting = Waiting()
        self._answer: _Answer | None = None

    def answer(
        self, middleware: ASGIApp, scope: Scope, start_response: StartResponse
    ) -> Iterator[bytes]:
        """In the server's thread: do what the middleware needs, and hand on what it answers."""
        deciding = LOOP.submit(_as_coroutine(middleware, scope, self.receive, self.send))
        try:
            for said in self._waiting.until(deciding):
                message = cast(Message, said)
                if message["type"] == "http.response.start":
                    start_response(_status(message["status"]), _text_headers(message))
                elif message.get("body"):
                    yield message["body"]
            deciding.result()  # raises what the app has raised
        finally:
            deciding.cancel()  # if the client has left; otherwise it is done
            if self._answer is not None:
                self._answer.close()

    async def receive(self) -> Message:
        """The next part of the body, read in the server's thread."""
        if not self._left and not self._chunked:
            return {"type": "http.request", "body": b"", "more_body": False}
        try:
            chunk = await self._waiting.call(self._read)
        except OSError:  # the client has left
            return {"type": "http.disconnect"}
        self._left = max(0, self._left - len(chunk)) if chunk else 0
        self._chunked = self._chunked and bool(chunk)
        more = self._left > 0 or self._chunked
        return {"type": "http.request", "body": chunk, "more_body": more}

    async def send(self, message: Message) -> None:
        """A part of the answer, on its way to the server's thread."""
        self._waiting.say(message)

    async def run(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The app, in the server's thread, under the context variables that the middleware has
        set. Of a body that is longer than the guard ever reads, it reads the rest by itself."""
        parts, whole, context = list[bytes](), False, copy_context()
        while not whole and sum(map(len, parts)) <= self._max_body:
            message = await receive()
            parts.append(message.get("body", b""))
            whole = not message.get("more_body", False)
        environ = environ_of(self._environ, scope, b"".join(parts), whole=whole)
        self._answer = answer = _Answer()
        await self._waiting.call(partial(answer.begin, self._app, environ), context)
        more = True
        while more:
            chunk, more = await self._waiting.call(answer.next, context)
            if answer.unsent:
                await send(answer.start())
            await send({"type": "http.response.body", "body": chunk, "more_body": more})
        await self._waiting.call(answer.close, context)

    def _read(self) -> bytes:
        size = CHUNK if self._chunked else min(CHUNK, self._left)
        return bytes(self._environ["wsgi.input"].read(size))


class _Answer:
    """What a WSGI app answers."""

    def __init__(self) -> None:
        self.unsent = True
        self._status, self._headers = 500, list[tuple[str, str]]()
        self._chunks: Iterator[bytes] = iter(())
        self._body: Iterable[bytes] = ()
        self._written: list[bytes] = []
        self._left: int | None = None

    def begin(self, app: WSGIApplication, environ: WSGIEnvironment) -> None:
        """Call the app."""
        self._body = app(environ, self._start_response)
        self._chunks = iter(self._body)

    def next(self) -> tuple[bytes, bool]:
        """The next part, and whether there may be more: not where its length was announced."""
        chunk = next(self._chunks, None)
        if self._written:
            chunk = b"".join(self._written) + (chunk or b"")
            self._written.clear()
        if chunk is None:
            return b"", False
        if self._left is not None:
            self._left -= len(chunk)
        return chunk, self._left is None or self._left > 0

    def start(self) -> Message:
        self.unsent = False
        raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in self._headers]
        return {"type": "http.response.start", "status": self._status, "headers": raw}

    def close(self) -> None:
        """Tell the app that its answer was sent, or will never be. Once."""
        body, self._body = self._body, ()
        close: Callable[[], object] | None = getattr(body, "close", None)
        if close is not None:
            close()

    def _start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], object]:
        if exc_info is not None and not self.unsent:
            raise exc_info[1].with_traceback(exc_info[2])
        self._status, self._headers = int(status[:3]), headers
        lengths = [value for name, value in headers if name.lower() == "content-length"]
        self._left = int(lengths[0]) if lengths else None
        return self._written.append


async def _as_coroutine(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    await app(scope, receive, send)


def _status(code: int) -> str:
    try:
        return f"{code} {HTTPStatus(code).phrase}"
    except ValueError:
        return f"{code} Unknown"


def _text_headers(start: Message) -> list[tuple[str, str]]:
    headers = start.get("headers", ())
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]
