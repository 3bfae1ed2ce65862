"""Says what an operator should know: at once, and then at most once an hour."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import NamedTuple

INTERVAL = 3_600.0
"""Seconds for which the same is not said again."""

MAX_REMEMBERED = 1_000


class Notice(NamedTuple):
    """What was said last under one code of one thing, and when by the clock of its `Notices`."""

    at: float
    code: str
    text: str


class Notices:
    """Log lines about how the guard is set up, each said once an hour.

    ``clock`` gives seconds of any kind. What is said counts as the same if its code and what it is
    ``about`` (a route, a field, a peer) are the same. ``logger`` is who logs it.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, logger: str = "pumpguard"
    ) -> None:
        self._clock, self._logger = clock, logging.getLogger(logger)
        self._said: dict[tuple[str, str], Notice] = {}

    def say(
        self,
        code: str,
        about: str,
        text: str,
        *args: object,
        level: int = logging.WARNING,
        exc_info: bool | BaseException = False,
    ) -> bool:
        """Log ``code`` and the text, and with ``exc_info`` the traceback, unless the same was said
        within the last hour. Returns whether it was logged."""
        now, key = self._clock(), (code, about)
        last = self._said.get(key)
        if last is not None and now - last.at < INTERVAL:
            return False
        if len(self._said) >= MAX_REMEMBERED:
            self._said.clear()
        self._said[key] = Notice(now, code, text % args if args else text)
        self._logger.log(level, f"{code} {text}", *args, exc_info=exc_info)
        return True

    def latest(self, count: int) -> list[tuple[float, Notice]]:
        """The newest notices, each once, and how many seconds ago each was said."""
        now = self._clock()
        newest = sorted(self._said.values(), reverse=True)[:count]
        return [(now - notice.at, notice) for notice in newest]
