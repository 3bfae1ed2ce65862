"""External services, asked over HTTP: which URLs are safe, one client per loop, a circuit breaker.

For services that requests wait for, such as a captcha's verification or a number lookup.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import ssl

    import httpx

FAULTS = 3
PAUSE = 30.0
"""After so many failures in a row, a service is not asked for so many seconds."""

LOOPBACK = ("127.0.0.1", "::1", "localhost")


def is_safe(url: str) -> bool:
    """Whether nobody on the way can read what is sent there: HTTPS, or this machine."""
    where = urlsplit(url)
    return where.scheme == "https" or (where.scheme == "http" and where.hostname in LOOPBACK)


def certificates() -> ssl.SSLContext:
    """The authorities to trust. Reading them takes tens of milliseconds: do it beforehand."""
    import httpx

    return httpx.create_ssl_context()


class ExternalService:
    """A service that is asked while requests wait, and is not asked for a while after failures.

    ``deadline`` is in seconds, ``clock`` gives seconds; ``options`` are an ``httpx.AsyncClient``'s.
    """

    def __init__(self, deadline: float, clock: Callable[[], float], **options: Any) -> None:
        self._options = {**options, "timeout": deadline, "verify": certificates()}
        self._clock = clock
        self._faults, self._resumes_at = 0, -inf
        self._client: tuple[asyncio.AbstractEventLoop, httpx.AsyncClient] | None = None

    @property
    def is_paused(self) -> bool:
        return self._clock() < self._resumes_at

    def client(self) -> httpx.AsyncClient:
        """This event loop's client."""
        import httpx

        loop = asyncio.get_running_loop()
        if self._client is None or self._client[0] is not loop:
            self._client = loop, httpx.AsyncClient(**self._options)
        return self._client[1]

    def succeeded(self) -> None:
        self._faults = 0

    def failed(self) -> bool:
        """One failure more; whether it is paused now."""
        self._faults += 1
        if self._faults < FAULTS:
            return False
        self._resumes_at = self._clock() + PAUSE
        return True

    async def aclose(self) -> None:
        client, self._client = self._client, None
        if client is not None and client[0] is asyncio.get_running_loop():
            await client[1].aclose()
