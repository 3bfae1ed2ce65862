"""HTTP over a bare socket: every byte of an answer as it came, and when."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Seen:
    """One answer, with its seconds from the request to the first byte and to the last."""

    status: int
    names: tuple[str, ...]
    headers: Mapping[str, str]
    body: bytes
    first_byte: float
    whole: float

    @property
    def json(self) -> Mapping[str, Any]:
        """The body, if it is an object."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


class Line:
    """A connection of its own to the app, kept open for several requests."""

    def __init__(self, port: int, address: str) -> None:
        self._port = port
        self._address = address
        self.connect = 0.0

    async def __aenter__(self) -> Self:
        begun = time.perf_counter()
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        self.connect = time.perf_counter() - begun
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._writer.close()
        await self._writer.wait_closed()

    async def post(self, path: str, fields: Mapping[str, str]) -> Seen:
        """Send one request and read its answer."""
        body = json.dumps(fields).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: app.example\r\nX-Forwarded-For: {self._address}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        begun = time.perf_counter()
        self._writer.write(head.encode() + body)
        answer = await self._reader.read(65_536)
        first_byte = time.perf_counter() - begun
        while END not in answer:
            answer += await self._more()
        top, _, rest = answer.partition(END)
        status, *lines = top.decode("latin-1").split("\r\n")
        pairs = [line.split(": ", 1) for line in lines]
        headers = {name.lower(): value for name, value in pairs}
        while len(rest) < int(headers["content-length"]):
            rest += await self._more()
        whole = time.perf_counter() - begun
        names = tuple(name for name, _ in pairs)
        return Seen(int(status.split()[1]), names, headers, rest, first_byte, whole)

    async def _more(self) -> bytes:
        found = await self._reader.read(65_536)
        if not found:
            raise ConnectionError("the app hung up in the middle of an answer")
        return found
