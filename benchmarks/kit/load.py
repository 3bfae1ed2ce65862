"""A load client over HTTP/1.1 keep-alive, in a process of its own.

``python -m benchmarks.kit.load`` reads lines of JSON (``port``, ``connections``, ``seconds``,
``start``) and answers each with what it saw. It knows just enough HTTP to be cheap.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import uvloop

from .serve import CLIENT
from .stats import Table, quantile
from .traffic import PATH, Request, endless, traffic


def wire_format(request: Request, path: str = PATH) -> bytes:
    """The request as bytes, to the route that sends unless another is given."""
    head = (
        b"POST %s HTTP/1.1\r\n%s: %s\r\nhost: bench\r\ncontent-type: application/json\r\n"
        b"content-length: %d\r\n\r\n"
    ) % (path.encode(), CLIENT, request.address.encode(), len(request.body))
    return head + request.body


class Connection(asyncio.Protocol):
    """One connection that sends the next request as soon as the last is answered."""

    def __init__(self, requests: Iterator[bytes], until: float, seen: Seen) -> None:
        self._requests = requests
        self._until = until
        self._seen = seen
        self._read = b""
        self._sent = 0.0
        self._transport: asyncio.Transport | None = None
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast(asyncio.Transport, transport)
        self._next()

    def data_received(self, data: bytes) -> None:
        """Count an answer when it is whole."""
        self._read += data
        if not is_whole(self._read):
            return
        self._seen.statuses[int(self._read[9:12])] += 1
        self._seen.latencies.append(time.perf_counter() - self._sent)
        self._read = b""
        self._next()

    def connection_lost(self, error: Exception | None) -> None:
        """Over, asked or not."""
        if not self.done.done():
            self.done.set_result(None)

    def _next(self) -> None:
        assert self._transport is not None
        self._sent = time.perf_counter()
        if self._sent < self._until:
            self._transport.write(next(self._requests))
        else:
            self._transport.close()


class Seen:
    """What the client saw."""

    def __init__(self) -> None:
        self.statuses: Counter[int] = Counter()
        self.latencies: list[float] = []


def is_whole(answer: bytes) -> bool:
    """Whether an answer has come to its end: by the length that it announces, or in chunks."""
    end = answer.find(b"\r\n\r\n")
    if end < 0:
        return False
    head = answer[:end].lower()
    if b"transfer-encoding: chunked" in head:
        return answer.endswith(b"\r\n0\r\n\r\n")
    found = head.find(b"content-length:")
    length = int(head[found + 15 :].split(b"\r\n", 1)[0]) if found >= 0 else 0
    return len(answer) >= end + 4 + length


async def load(port: int, connections: int, seconds: float, start: int) -> Table:
    """Load a server for a while."""
    requests = endless(traffic(), start)
    ready = (wire_format(request) for request in requests)
    seen, loop, began = Seen(), asyncio.get_running_loop(), time.perf_counter()
    opened = []
    for _ in range(connections):
        _, each = await loop.create_connection(
            lambda: Connection(ready, began + seconds, seen), "127.0.0.1", port
        )
        opened.append(each.done)
    await asyncio.gather(*opened)
    took = time.perf_counter() - began
    done = len(seen.latencies)
    return {
        "requests": done,
        "per_second": done / took,
        "admitted": seen.statuses[202] / max(1, done),
        "p50": quantile(seen.latencies, 0.5) if done else 0.0,
        "p99": quantile(seen.latencies, 0.99) if done else 0.0,
    }


class Client:
    """The process of a client, for orders."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def begin(self, order: Table) -> None:
        """Give an order; `result` waits for it."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()

    def result(self) -> Table:
        """What came of the order."""
        assert self._process.stdout is not None
        found: Table = json.loads(self._process.stdout.readline())
        return found


@contextmanager
def client(module: str = __name__) -> Iterator[Client]:
    """One that runs this module."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-m", module]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:  # noqa: S603
        try:
            yield Client(process)
        finally:
            process.kill()


if __name__ == "__main__":
    traffic()
    for line in sys.stdin:
        print(json.dumps(uvloop.run(load(**json.loads(line)))), flush=True)
