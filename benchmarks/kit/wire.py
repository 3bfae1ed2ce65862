"""A connection to Redis that many requests share: the cheapest client that one can write."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import AsyncExitStack
from typing import Any, cast
from urllib.parse import urlsplit

import hiredis

TOGETHER = 8
"""Commands after which a write does not wait for the end of the loop's tick."""

_pack: Any = hiredis.pack_command


class Wire(asyncio.Protocol):
    """One connection that many requests share, written to once per tick or once per 8 commands."""

    def __init__(self) -> None:
        self._replies: Any = hiredis.Reader()
        self._waiting: deque[asyncio.Future[Any]] = deque()
        self._out: list[bytes] = []
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Hand out replies in the order of the commands."""
        self._replies.feed(data)
        while (reply := self._replies.gets()) is not False:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_result(reply)

    def call(self, *command: str | bytes | int) -> asyncio.Future[Any]:
        """Send a command; its reply comes in the future."""
        reply = self._loop.create_future()
        self._waiting.append(reply)
        self._out.append(_pack(command))
        if len(self._out) >= TOGETHER:
            self._flush()
        elif len(self._out) == 1:
            self._loop.call_soon(self._flush)
        return reply

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()

    def _flush(self) -> None:
        if self._out and self._transport is not None:
            self._transport.write(b"".join(self._out))
            self._out.clear()


async def connect(url: str, stack: AsyncExitStack) -> Wire:
    """A wire to the server of a ``redis://`` URL."""
    parts = urlsplit(url)
    loop = asyncio.get_running_loop()
    _, wire = await loop.create_connection(Wire, parts.hostname or "", parts.port or 6379)
    stack.callback(wire.close)
    return wire
