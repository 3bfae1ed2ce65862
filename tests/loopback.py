"""A service outside: a real HTTP server on loopback, for as long as a test needs it."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, Self


class Loopback:
    """Answers each request by `reply`, after ``delay`` seconds, with ``status``."""

    def __init__(self, status: int = 200, delay: float = 0.0) -> None:
        self.status = status
        self.delay = delay
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()

    async def reply(self, head: str, reader: asyncio.StreamReader) -> bytes:
        """The JSON to answer with; ``head`` is the request's, the reader has its body."""
        raise NotImplementedError

    @property
    def origin(self) -> str:
        """Where it listens."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *exception: Any) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()
        for _ in range(10):  # a connection whose client has left may still be on its way in
            await asyncio.sleep(0)
        await asyncio.gather(*self._serving)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving = asyncio.current_task()
        assert serving is not None
        self._serving.add(serving)
        # The client may not wait: neither for the answer nor until it has asked.
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            body = await self.reply(head, reader)
            await asyncio.sleep(self.delay)
            lines = f"HTTP/1.1 {self.status} It\r\ncontent-type: application/json\r\n"
            lines += f"connection: close\r\ncontent-length: {len(body)}\r\n\r\n"
            writer.write(lines.encode() + body)
            await writer.drain()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
