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

from .floods import requests_of
from .load import content_length, wire_format
from .stats import Table, quantile

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
    """One connection: idle, or waiting for one answer."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self._read = b""
        self._due = 0.0
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self.transport = cast(asyncio.Transport, transport)

    def ask(self, request: bytes, due: float) -> None:
        """Send one request."""
        assert self.transport is not None
        self._due = due
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Count an answer when it is whole."""
        self._read += data
        end = self._read.find(b"\r\n\r\n")
        if end < 0 or len(self._read) < end + 4 + content_length(self._read[:end]):
            return
        self._crowd.answered(self, int(self._read[9:12]), time.perf_counter() - self._due)
        self._read = b""


class Crowd:
    """The clients of one order."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._idle: deque[Connection] = deque()
        self._due: deque[tuple[float, bytes]] = deque()
        self._statuses: Counter[int] = Counter()
        self._latencies: list[float] = []
        self._given_up = 0

    async def run(self) -> Table:
        """Ask, and say what came of it."""
        order, loop = self._order, asyncio.get_running_loop()
        for port in order.ports * order.connections:
            _, each = await loop.create_connection(lambda: Connection(self), "127.0.0.1", port)
            self._idle.append(each)
        opened = list(self._idle)
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
                self._due.append((due, wire_format(next(requests))))
            self._send()
            await asyncio.sleep(0.001)
        while self._due and time.perf_counter() - began < order.seconds + 2:
            self._send()
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        for each in opened:
            if each.transport is not None:
                each.transport.close()
        answers = self._latencies
        return {
            "asked": total,
            "answered": len(answers),
            "given_up": self._given_up + len(self._due),
            "statuses": {str(status): count for status, count in self._statuses.items()},
            "p50": quantile(answers, 0.5) if answers else None,
            "p99": quantile(answers, 0.99) if answers else None,
        }

    def answered(self, connection: Connection, status: int, seconds: float) -> None:
        """One answer; its connection takes the next request that is due."""
        self._statuses[status] += 1
        self._latencies.append(seconds)
        self._idle.append(connection)
        self._send()

    def _send(self) -> None:
        while self._due and self._idle:
            due, request = self._due.popleft()
            self._idle.popleft().ask(request, due)


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(uvloop.run(Crowd(Order(**json.loads(line))).run())), flush=True)
