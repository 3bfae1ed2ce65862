"""A client that asks at a rate, whatever the server does; in a process of its own.

``python -m benchmarks.kit.paced`` reads lines of JSON (`Order`'s fields) and answers each with what
it saw. A latency counts from the moment at which the request was due, so a server that is late for
one is late for all behind it.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter, deque
from dataclasses import dataclass
from typing import cast

import uvloop

from .floods import USERS, requests_of
from .load import is_whole, wire_format
from .stats import Table, quantile
from .traffic import VERIFY, Request

SENT = 202

WAITING = 20_000
"""Requests that may be due and not sent; beyond them, the client gives up on new ones."""


@dataclass(frozen=True, slots=True)
class Order:
    """Ask servers for so many seconds at a rate a second, over so many connections to each, with
    the requests of a kind (`benchmarks.kit.floods`), beginning at ``start``."""

    ports: list[int]
    kind: str
    rate: float
    seconds: float
    connections: int
    start: int = 0


class Connection(asyncio.Protocol):
    """One connection: idle, or waiting for one answer. A user with a code enters it at once."""

    def __init__(self, crowd: Crowd, port: int, *, verifies: bool) -> None:
        self._crowd = crowd
        self.port = port
        self._verifies = verifies
        self._read = b""
        self._due = 0.0
        self._asked: Request | None = None
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self.transport = cast(asyncio.Transport, transport)

    def ask(self, request: Request, due: float) -> None:
        """Ask for a code."""
        self._due, self._asked = due, request
        self._write(wire_format(request))

    def data_received(self, data: bytes) -> None:
        """Count an answer when it is whole; that to a code entered is not counted."""
        self._read += data
        if not is_whole(self._read):
            return
        status, self._read = int(self._read[9:12]), b""
        if self._asked is None:
            self._crowd.idle(self)
            return
        asked, self._asked = self._asked, None
        self._crowd.answered(status, time.perf_counter() - self._due)
        if self._verifies and status == SENT:
            self._write(wire_format(asked, VERIFY))
        else:
            self._crowd.idle(self)

    def connection_lost(self, error: Exception | None) -> None:
        """The server has hung up."""
        self._crowd.lost(self, waiting=self._asked is not None)

    def _write(self, request: bytes) -> None:
        assert self.transport is not None
        self.transport.write(request)


class Crowd:
    """The clients of one order."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._idle: deque[Connection] = deque()
        self._due: deque[tuple[float, Request]] = deque()
        self._statuses: Counter[int] = Counter()
        self._latencies: list[float] = []
        self._given_up = 0
        self._unanswered = 0
        self._over = False
        self._opening: set[asyncio.Task[None]] = set()
        self._opened: list[Connection] = []

    async def run(self) -> Table:
        """Ask, and say what came of it."""
        order = self._order
        for port in order.ports * order.connections:
            await self._open(port)
        total = int(order.rate * order.seconds)
        requests = requests_of(order.kind, order.start)
        began, sent = time.perf_counter(), 0
        while sent < total:
            now = time.perf_counter() - began
            while sent < min(total, now * order.rate):
                due = began + sent / order.rate
                sent += 1
                if len(self._due) >= WAITING:
                    self._given_up += 1
                    continue
                self._due.append((due, next(requests)))
            self._send()
            await asyncio.sleep(0.001)
        while self._due and time.perf_counter() - began < order.seconds + 2:
            self._send()
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        self._over = True
        for each in self._opened:
            if each.transport is not None:
                each.transport.close()
        answers = self._latencies
        return {
            "asked": total,
            "answered": len(answers),
            "given_up": self._given_up + len(self._due),
            "unanswered": self._unanswered,
            "statuses": {str(status): count for status, count in self._statuses.items()},
            "p50": quantile(answers, 0.5) if answers else None,
            "p99": quantile(answers, 0.99) if answers else None,
        }

    def answered(self, status: int, seconds: float) -> None:
        """One answer."""
        self._statuses[status] += 1
        self._latencies.append(seconds)

    def idle(self, connection: Connection) -> None:
        """A connection takes the next request that is due."""
        self._idle.append(connection)
        self._send()

    def lost(self, connection: Connection, *, waiting: bool) -> None:
        """A connection is gone; another one takes its place."""
        if self._over:
            return
        self._unanswered += waiting
        self._opened.remove(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        opening = asyncio.get_running_loop().create_task(self._open(connection.port))
        self._opening.add(opening)
        opening.add_done_callback(self._opening.discard)

    async def _open(self, port: int) -> None:
        loop = asyncio.get_running_loop()
        verifies = self._order.kind == USERS
        _, each = await loop.create_connection(
            lambda: Connection(self, port, verifies=verifies), "127.0.0.1", port
        )
        self._opened.append(each)
        self._idle.append(each)

    def _send(self) -> None:
        while self._due and self._idle:
            due, request = self._due.popleft()
            self._idle.popleft().ask(request, due)


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(uvloop.run(Crowd(Order(**json.loads(line))).run())), flush=True)
