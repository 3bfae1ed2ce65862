"""Calls an app in process, one request at a time or many at once."""

from __future__ import annotations

import asyncio
import gc
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from starlette.types import ASGIApp, Message

from .stats import quantile
from .traffic import Request

WIDTH = 64


@dataclass(frozen=True, slots=True)
class Block:
    """What one block of requests took."""

    requests: int
    seconds: float
    cpu: float
    latencies: list[float]
    statuses: Counter[int]

    @property
    def microseconds(self) -> float:
        """Wall time per request."""
        return self.seconds / self.requests * 1e6

    @property
    def cpu_microseconds(self) -> float:
        """CPU time of this process per request."""
        return self.cpu / self.requests * 1e6

    @property
    def admitted(self) -> float:
        """The share of requests that the app answered as it answers a user."""
        return self.statuses[202] / self.requests

    def latency(self, q: float) -> float:
        """A quantile of the latencies, in microseconds."""
        return quantile(self.latencies, q) * 1e6


async def call(app: ASGIApp, request: Request) -> int:
    """One request; returns the status."""
    status = 0
    body: Message = {"type": "http.request", "body": request.body, "more_body": False}

    async def receive() -> Message:
        return body

    async def send(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]

    await app(request.scope(), receive, send)
    return status


async def sequential(app: ASGIApp, requests: Iterable[Request]) -> Block:
    """One request after the other."""
    return await _measure(app, list(requests), 1)


async def concurrent(app: ASGIApp, requests: Iterable[Request], width: int = WIDTH) -> Block:
    """Always ``width`` requests in flight."""
    return await _measure(app, list(requests), width)


async def _measure(app: ASGIApp, requests: list[Request], width: int) -> Block:
    latencies: list[float] = []
    statuses: Counter[int] = Counter()
    waiting = iter(requests)
    gc.collect()
    cpu, began = time.process_time(), time.perf_counter()
    if width == 1:
        await _work(app, waiting, latencies, statuses)
    else:
        await asyncio.gather(*(_work(app, waiting, latencies, statuses) for _ in range(width)))
    seconds, used = time.perf_counter() - began, time.process_time() - cpu
    return Block(len(requests), seconds, used, latencies, statuses)


async def _work(
    app: ASGIApp, requests: Iterator[Request], latencies: list[float], statuses: Counter[int]
) -> None:
    clock = time.perf_counter
    for request in requests:
        began = clock()
        status = await call(app, request)
        latencies.append(clock() - began)
        statuses[status] += 1


async def fitting(app: ASGIApp, requests: Iterator[Request], seconds: float, width: int) -> int:
    """How many requests fill about so many seconds; warms the app up on the way."""
    await _measure(app, list(islice(requests, 2 * width + 16)), width)
    trial = await _measure(app, list(islice(requests, 2 * width + 32)), width)
    wanted = int(seconds / (trial.seconds / trial.requests))
    return max(2 * width, 48, min(wanted, 4_000))
