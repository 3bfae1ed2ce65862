"""A provider: a real HTTP server on loopback that answers as its documentation says."""

from __future__ import annotations

import asyncio
import json
from urllib.parse import parse_qsl

from tests.loopback import Loopback, read_request


class Provider(Loopback):
    """Answers with ``answer``, and keeps what it was asked: request lines, headers and bodies."""

    def __init__(self, status: int = 200, answer: object = None, delay: float = 0.0) -> None:
        super().__init__(status, delay)
        self.answer = answer
        self.lines: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.bodies: list[object] = []

    async def reply(self, head: str, reader: asyncio.StreamReader) -> bytes:
        headers, body = await read_request(head, reader)
        self.lines.append(head.partition("\r\n")[0])
        self.headers.append(headers)
        if headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            self.bodies.append(dict(parse_qsl(body.decode())))
        else:
            self.bodies.append(json.loads(body) if body else None)
        return self.answer if isinstance(self.answer, bytes) else json.dumps(self.answer).encode()
