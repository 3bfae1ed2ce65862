"""A service outside: a real server on loopback, for as long as a test needs it."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, Self


class Listening:
    """Talks with everybody who connects."""

    def __init__(self) -> None:
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One conversation. The client may leave in the middle of it."""
        raise NotImplementedError

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

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
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await self.talk(reader, writer)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


class Loopback(Listening):
    """Answers each HTTP request by `reply`, after ``delay`` seconds, with ``status``."""

    def __init__(self, status: int = 200, delay: float = 0.0) -> None:
        super().__init__()
        self.status = status
        self.delay = delay

    async def reply(self, head: str, reader: asyncio.StreamReader) -> bytes:
        """The JSON to answer with; ``head`` is the request's, the reader has its body."""
        raise NotImplementedError

    @property
    def origin(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request and its reply; the client may wait for neither."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        body = await self.reply(head, reader)
        await asyncio.sleep(self.delay)
        lines = f"HTTP/1.1 {self.status} It\r\ncontent-type: application/json\r\n"
        lines += f"connection: close\r\ncontent-length: {len(body)}\r\n\r\n"
        writer.write(lines.encode() + body)
        await writer.drain()


async def read_request(head: str, reader: asyncio.StreamReader) -> tuple[dict[str, str], bytes]:
    """The headers, their names in small letters, and the body."""
    lines = head.strip().split("\r\n")[1:]
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    return headers, await reader.readexactly(int(headers.get("content-length", 0)))
