"""Calls in flight: a future for the reply, and when the call was made."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

from pumpguard.errors import StoreError

Call = tuple[asyncio.Future[Any], float]

AT_ONCE = 8
"""Callers that are told of a fault in one tick of the event loop. Each goes on to decide alone, and
all that were in flight together would hold everybody else up for as long."""


def fail(call: Call, fault: StoreError) -> None:
    """Tell the caller, if it is still there: an outcome that nobody takes would be logged."""
    if not call[0].done():
        call[0].set_exception(fault)


def fail_in_turn(calls: deque[tuple[Call, Callable[[], StoreError]]]) -> None:
    """Tell the callers, oldest first, a few per tick, each of a fault of his own."""
    for _ in range(min(AT_ONCE, len(calls))):
        call, fault = calls.popleft()
        fail(call, fault())
    if calls:
        asyncio.get_running_loop().call_soon(fail_in_turn, calls)


class Ahead:
    """Stands in for the caller of a command that is only sent ahead of another.

    It has the little of a future that connections use, and is done with when the other is: if
    that one's caller goes before anything is sent, neither is sent.
    """

    of: asyncio.Future[Any]

    def done(self) -> bool:
        """Whether nobody waits for the command behind this one."""
        return self.of.done()

    def set_result(self, reply: Any) -> None:
        """Nobody waits for it."""

    def set_exception(self, fault: StoreError) -> None:
        """The command behind it has a fault of its own."""
