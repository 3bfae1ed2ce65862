"""The service behind uvicorn: what it listens on, and how it ends."""

from __future__ import annotations

import signal
from time import monotonic
from types import FrameType

import uvicorn

from pumpguard.serve import Service

LAST_REQUESTS = 10
"""Seconds that requests which are being answered have when the server ends."""


class Server(uvicorn.Server):
    """A server that ends in order on SIGTERM: for ``drain`` seconds it says that it is not ready,
    and goes on answering; then it takes no more connections, answers what it has begun, tells the
    store all outcomes, and ends with 0. SIGINT leaves out the first part."""

    def __init__(self, service: Service, host: str, port: int, drain: float = 0.0) -> None:
        config = uvicorn.Config(
            service, host=host, port=port, ws="none", lifespan="on", proxy_headers=False,
            server_header=False, access_log=False, timeout_graceful_shutdown=LAST_REQUESTS,
        )  # fmt: skip
        super().__init__(config)
        self._service = service
        self._drain = drain
        self._ends_at: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End, or get ready to."""
        if sig == signal.SIGTERM and self._ends_at is None and not self.should_exit:
            self._service.draining = True
            self._ends_at = monotonic() + self._drain
        elif self.should_exit:
            self.force_exit = sig == signal.SIGINT
        else:
            self.should_exit = True

    async def on_tick(self, counter: int) -> bool:
        if self._ends_at is not None and monotonic() >= self._ends_at:
            self.should_exit = True
        return await super().on_tick(counter)
