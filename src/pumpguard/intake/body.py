"""Request bodies: read whole within bounds and replayed to the app, or copied while it reads; and
answers, copied as they are sent."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Coroutine, Generator
from types import coroutine
from typing import Any, cast

from starlette.datastructures import Headers
from starlette.types import Message, Receive, Send

from pumpguard.errors import ClientGone, IntakeError

MAX_MESSAGES = 1_000
"""ASGI messages per body. One-byte chunks are legal, but nobody sends a form that way."""

MAX_ANSWER = 65_536
"""Bytes of an answer that are kept to look at."""


async def read_body(receive: Receive, limit: int, deadline: float) -> bytes:
    """The whole body, at most ``limit`` bytes, within ``deadline`` seconds altogether.

    Raises `IntakeError` (408, 413) or `ClientGone`. The deadline is for the whole body and not for
    a pause in it: a client that sends a byte a second never pauses.
    """
    reading = _read(receive, limit)
    try:
        # Small bodies have mostly arrived with their headers: then there is nothing to wait for,
        # and no need of a timer.
        waiting_for = reading.send(None)
    except StopIteration as done:
        body: bytes = done.value
        return body
    try:
        async with asyncio.timeout(deadline):
            return await _continued(reading, waiting_for)
    except TimeoutError:
        detail = "The request body did not arrive in time."
        raise IntakeError(408, "body-timeout", "Request body too slow", detail) from None


@coroutine
def _continued(reading: Coroutine[Any, Any, bytes], waiting_for: Any) -> Generator[Any, Any, bytes]:
    """Await a coroutine that has already run up to its first wait."""
    try:
        while True:
            try:
                sent = yield waiting_for
            except BaseException as error:
                waiting_for = reading.throw(error)
            else:
                waiting_for = reading.send(sent)
    except StopIteration as done:
        return cast(bytes, done.value)


async def _read(receive: Receive, limit: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    for _ in range(MAX_MESSAGES):
        message = await receive()
        if message["type"] != "http.request":
            raise ClientGone("the client left before its request was complete")
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            break
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)
    detail = f"A request here has at most {limit} bytes."
    raise IntakeError(413, "body-too-large", "Request body too large", detail)


GZIP, GZIP_WINDOW = ("gzip", "x-gzip"), 31
"""How it is called, and how zlib is told that a body is it."""


class Replay:
    """A ``receive`` that hands out a body that was read already, then what really follows it, above
    all ``http.disconnect``."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}


class Kept:
    """A ``receive`` that keeps all that it has handed out, so that it can be handed out again."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._messages: list[Message] = []

    async def __call__(self) -> Message:
        message = await self._receive()
        self._messages.append(message)
        return message

    def again(self) -> Receive:
        """A ``receive`` that begins anew."""
        waiting = self._messages[::-1]

        async def receive() -> Message:
            return waiting.pop() if waiting else await self._receive()

        return receive


class BodyTee:
    """A ``receive`` that keeps a copy of the body that the app reads, up to ``limit`` bytes."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._room = limit
        self._chunks: list[bytes] = []

    async def __call__(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            chunk = message.get("body", b"")
            self._room -= len(chunk)
            if self._room >= 0:
                self._chunks.append(chunk)
        return message

    @property
    def body(self) -> bytes | None:
        """What the app has read so far, or ``None`` if that was too long."""
        return b"".join(self._chunks) if self._room >= 0 else None


class AnswerCopy:
    """A ``send`` that keeps a copy of the answer passing through it."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._room = MAX_ANSWER
        self._chunks: list[bytes] = []
        self.status: int | None = None
        self.headers = Headers()

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            # ASGI says lower case; BlackSheep says otherwise, and servers let it pass.
            raw = [(name.lower(), value) for name, value in message.get("headers", ())]
            self.headers = Headers(raw=raw)
        elif message["type"] == "http.response.body" and self._room >= 0:
            chunk = message.get("body", b"")
            self._room -= len(chunk)
            self._chunks.append(chunk)
        await self._send(message)

    @property
    def encoding(self) -> str:
        """The body's ``Content-Encoding``; empty for none."""
        return self.headers.get("content-encoding", "").strip().lower().removeprefix("identity")

    @property
    def body(self) -> bytes:
        """The body, or nothing if it is too long to be looked at, or encoded otherwise than with
        gzip."""
        body = b"".join(self._chunks) if self._room >= 0 else b""
        if self.encoding in GZIP:
            return _inflated(body)
        return b"" if self.encoding else body


def _inflated(body: bytes) -> bytes:
    """What was compressed with gzip, if it is whole and no longer than what is looked at."""
    inflating = zlib.decompressobj(wbits=GZIP_WINDOW)
    try:
        found = inflating.decompress(body, MAX_ANSWER)
    except zlib.error:
        return b""
    return found if inflating.eof else b""
