"""One variant in a uvicorn process of its own.

``python -m benchmarks.kit.serve NAME REDIS_URL AMOUNT`` prints its port when it is ready. A thin
layer, the same around every variant, takes the client's address from a header, because a load test
comes from one machine, and tells the process's CPU time.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from urllib.request import urlopen

import uvicorn
import uvloop
from starlette.types import ASGIApp, Receive, Scope, Send

from ..systems import PLENTY

CLIENT = b"x-bench-client"
CPU = "/cpu"


class FromManyAddresses:
    """Sets the client's address from a header that the load client sends first."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or tell the CPU time."""
        if scope["path"] == CPU:
            body = b"%f" % time.process_time()
            length = (b"content-length", b"%d" % len(body))
            await send({"type": "http.response.start", "status": 200, "headers": [length]})
            await send({"type": "http.response.body", "body": body})
            return
        name, value = scope["headers"][0]
        if name == CLIENT:
            scope["client"] = (value.decode(), 40_000)
        await self.app(scope, receive, send)


async def main(name: str, url: str, amount: int) -> None:
    """Build the variant and serve it until killed."""
    from ..systems.all import named

    async with AsyncExitStack() as stack:
        app = await named(name).build(url, stack, amount)
        with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
            config = uvicorn.Config(
                FromManyAddresses(app), http="httptools", lifespan="off", log_level="critical",
                access_log=False, proxy_headers=False,
            )  # fmt: skip
            print(listener.getsockname()[1], flush=True)
            await uvicorn.Server(config).serve(sockets=[listener])


@dataclass(frozen=True, slots=True)
class Served:
    """A variant being served."""

    name: str
    port: int

    def cpu(self) -> float:
        """The CPU time of the process so far."""
        with urlopen(f"http://127.0.0.1:{self.port}{CPU}", timeout=10) as answer:
            return float(answer.read())


@contextmanager
def served(name: str, url: str, amount: int = PLENTY) -> Iterator[Served]:
    """The variant in a process of its own; a peer's limits admit that ``amount``."""
    command = [sys.executable, "-m", __name__, name, url, str(amount)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdout is not None
        try:
            yield Served(name, int(process.stdout.readline()))
        finally:
            process.kill()


if __name__ == "__main__":
    logging.disable(logging.ERROR)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
