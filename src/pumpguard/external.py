"""External services, asked over HTTP: which URLs are safe, one client per loop, a circuit breaker.

For services that requests wait for, such as a captcha's verification or a number lookup.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from math import inf
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from pumpguard.notices import Notices

if TYPE_CHECKING:
    import ssl

    import httpx

T = TypeVar("T")

FAULTS = 3
PAUSE = 30.0
"""After so many failures in a row, a service is not asked for so many seconds."""

LOOPBACK = ("127.0.0.1", "::1", "localhost")


logger = logging.getLogger("pumpguard")


def is_safe(url: str) -> bool:
    """Whether nobody on the way can read what is sent there: HTTPS, or this machine."""
    where = urlsplit(url)
    return where.scheme == "https" or (where.scheme == "http" and where.hostname in LOOPBACK)


def certificates() -> ssl.SSLContext:
    """The authorities to trust. Reading them takes tens of milliseconds: do it beforehand."""
    import httpx

    return httpx.create_ssl_context()


class Unavailable(Exception):
    """The service was not asked, or has not answered."""


class ExternalService:
    """A service that is asked while requests wait, and is not asked for a while after failures.

    ``deadline`` is in seconds, ``clock`` gives seconds; ``options`` are an ``httpx.AsyncClient``'s.
    ``outage`` is logged when it is left alone, with the error's name and the seconds.
    """

    def __init__(
        self, deadline: float, clock: Callable[[], float], outage: str, **options: Any
    ) -> None:
        self._options = {**options, "timeout": deadline, "verify": certificates()}
        self._deadline, self._clock, self._outage = deadline, clock, outage
        self._faults, self._resumes_at = 0, -inf
        self._notices = Notices(clock)
        self._client: tuple[asyncio.AbstractEventLoop, httpx.AsyncClient] | None = None

    @property
    def is_paused(self) -> bool:
        return self._clock() < self._resumes_at

    async def ask(self, question: Callable[[httpx.AsyncClient], Awaitable[T]]) -> T:
        """What ``question`` makes of the answer. Raises `Unavailable`, whatever went wrong."""
        if self.is_paused:
            raise Unavailable
        try:
            async with asyncio.timeout(self._deadline):
                answer = await question(self.client())
        except Exception as error:
            self._failed(type(error).__name__)
            raise Unavailable from None
        self._faults = 0
        return answer

    def client(self) -> httpx.AsyncClient:
        """This event loop's client."""
        import httpx

        loop = asyncio.get_running_loop()
        if self._client is None or self._client[0] is not loop:
            self._client = loop, httpx.AsyncClient(**self._options)
        return self._client[1]

    async def aclose(self) -> None:
        client, self._client = self._client, None
        if client is not None and client[0] is asyncio.get_running_loop():
            await client[1].aclose()

    def _failed(self, error: str) -> None:
        logger.debug("an external service was asked in vain: %s", error)
        self._faults += 1
        if self._faults >= FAULTS:
            self._resumes_at = self._clock() + PAUSE
            code, text = self._outage.split(" ", 1)
            self._notices.say(code, text, text, error, PAUSE)
