"""A CAPTCHA service: a real HTTP server on loopback that keeps to the siteverify contract."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any, Self
from urllib.parse import parse_qs

SECRET, SITE_KEY, HOST = "their secret", "their-site-key", "app.example"


class Service:
    """Accepts each token in ``tokens`` once, and says of it what stands there."""

    def __init__(self, **tokens: dict[str, Any]) -> None:
        self.tokens = tokens
        self.asked: list[dict[str, str]] = []
        self.raw: bytes | None = None
        """What it answers instead, if anything."""
        self.status = 200
        self.delay = 0.0
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Where it asks to be asked."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/siteverify"

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
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            assert head.startswith("post /siteverify http/1.1\r\n")
            assert "\r\ncontent-type: application/x-www-form-urlencoded\r\n" in head
            length = int(head.partition("\r\ncontent-length: ")[2].split("\r\n")[0])
            body = parse_qs((await reader.readexactly(length)).decode())
            self.asked.append({name: value for name, (value,) in body.items()})
            await asyncio.sleep(self.delay)
            answer = self.raw
            if answer is None:
                answer = json.dumps(self._answer(self.asked[-1])).encode()
            lines = f"HTTP/1.1 {self.status} It\r\ncontent-type: application/json\r\n"
            lines += f"connection: close\r\ncontent-length: {len(answer)}\r\n\r\n"
            writer.write(lines.encode() + answer)
            await writer.drain()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    def _answer(self, form: dict[str, str]) -> dict[str, Any]:
        if form.get("secret") != SECRET:
            return {"success": False, "error-codes": ["invalid-input-secret"]}
        if form.get("sitekey", SITE_KEY) != SITE_KEY:
            return {"success": False, "error-codes": ["sitekey-secret-mismatch"]}
        said = self.tokens.pop(form["response"], None)
        if said is None:
            return {"success": False, "error-codes": ["timeout-or-duplicate"]}
        return {"success": True, "hostname": HOST, "error-codes": [], **said}
