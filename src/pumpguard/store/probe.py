"""Asks a server that is away until it answers, where no request is in the way of the question.

The event loop that requests share may be so busy, in a flood, that each of its turns takes longer
than a healthy server needs to answer. So the question is asked in a thread, with an event loop and
a connection of its own.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine
from threading import Event, Thread
from typing import Any

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 0.5
"""Seconds between two questions at most; it doubles. Each process waits between half of it and all,
so that a fleet does not ask in step."""

logger = logging.getLogger("pumpguard.store")


class Probe:
    """Asks ``answers`` whether the server can be used, and calls ``found`` from its thread once it
    can."""

    def __init__(self, answers: Callable[[], Coroutine[Any, Any, bool]]) -> None:
        self._answers = answers
        self._stopped = Event()

    def begin(self, found: Callable[[], None]) -> None:
        """Ask until it answers. The last asking must have found something, or have been ended."""
        self._stopped = Event()
        thread = Thread(target=self._ask, args=(self._stopped, found), daemon=True)
        thread.start()

    def end(self) -> None:
        """Ask no more."""
        self._stopped.set()

    def _ask(self, stopped: Event, found: Callable[[], None]) -> None:
        pause = FIRST_PAUSE
        while not stopped.wait(random.uniform(0.5, 1) * pause):  # noqa: S311 - no secret
            pause = min(2 * pause, LONGEST_PAUSE)
            try:
                if asyncio.run(self._answers()):
                    found()
                    return
            except Exception:
                logger.exception(
                    "PG019 exception while asking whether the store can be used; asked again"
                )
