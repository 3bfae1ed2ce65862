"""A look-up service: a real HTTP server on loopback that answers as it is told."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any, Self


class Service:
    """Answers every request alike; ``asked`` holds what it was asked, head by head."""

    def __init__(self, score: object = 0, status: int = 200, delay: float = 0.0) -> None:
        self.body = json.dumps({"sms_pumping_risk": {"sms_pumping_risk_score": score}})
        self.status = status
        self.delay = delay
        self.asked: list[str] = []
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Where it asks to be asked."""
        assert self._server is not None
        port = self._server.sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}/v2/PhoneNumbers/{{phone}}?Fields=sms_pumping_risk"

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
            self.asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
            await asyncio.sleep(self.delay)
            writer.write(self._answer())
            await writer.drain()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    def _answer(self) -> bytes:
        body = self.body.encode()
        lines = (
            f"HTTP/1.1 {self.status} It",
            "content-type: application/json",
            "connection: close",
            f"content-length: {len(body)}",
        )
        return "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n" + body
