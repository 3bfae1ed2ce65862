"""Calls in flight, and how they fail.

The faults are told apart by what the caller has to know: `Unreachable` and `Overloaded` mean that
the call was never sent, `Late` and `Lost` that it may have counted. Only a call that has certainly
not run may be made again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

from redis import exceptions as redis

from pumpguard.errors import StoreError
from pumpguard.turns import within

LONGEST_TEXT = 200
"""Characters of a server's error that are kept."""


class Unreachable(StoreError):
    """There was no connection in time: the call was never sent, so it has not counted."""

    undone = True


class Overloaded(StoreError):
    """Too many calls are in flight: this one was never sent."""

    undone = True


class Late(StoreError):
    """No reply within the deadline: the call may have counted, or may yet."""


class Lost(StoreError):
    """The connection broke before the reply: the call may have counted."""


class ErrorReply(StoreError):
    """The server answered with an error; ``reply`` is redis-py's exception for it."""

    refused = True

    def __init__(self, reply: redis.RedisError, text: str) -> None:
        self.reply = reply
        self.undone = text.partition(" ")[0] in REFUSALS
        super().__init__(text)

    @classmethod
    def of(cls, text: str) -> ErrorReply:
        """The error that a server's ``-CODE and words`` stand for."""
        code, _, words = text.partition(" ")
        error = ERRORS.get(text) or ERRORS.get(code, redis.ResponseError)
        try:
            reply = error(words if code in ERRORS else text)
        except ValueError:  # a redirection without an address
            reply = redis.ResponseError(text)
        return cls(reply, text[:LONGEST_TEXT])


ERRORS: dict[str, type[redis.RedisError]] = {
    "ASK": redis.AskError,
    "CLUSTERDOWN": redis.ClusterDownError,
    "ERR Function not found": redis.NoScriptError,
    "CROSSSLOT": redis.ClusterCrossSlotError,
    "LOADING": redis.BusyLoadingError,
    "MASTERDOWN": redis.MasterDownError,
    "MOVED": redis.MovedError,
    "NOAUTH": redis.AuthenticationError,
    "NOPERM": redis.NoPermissionError,
    "NOSCRIPT": redis.NoScriptError,
    "OOM": redis.OutOfMemoryError,
    "READONLY": redis.ReadOnlyError,
    "TRYAGAIN": redis.TryAgainError,
    "WRONGPASS": redis.AuthenticationError,
}
"""Error replies by their text or its first word, the code; all others are ``ResponseError``."""

REFUSALS = {*ERRORS, "BUSY", "MISCONF", "NOREPLICAS"}
"""Errors with which a server turns a script down before it has written anything."""

Call = tuple[asyncio.Future[Any], int]
"""The future of the reply, and the slice in which the call was made."""


@asynccontextmanager
async def in_time(until: float, otherwise: type[StoreError]) -> AsyncIterator[None]:
    """A timer for rare cases; in the usual one, the connection watches the deadline. ``until`` is
    by `time.monotonic`."""
    try:
        async with within(until - monotonic()):
            yield
    except TimeoutError:
        raise otherwise("not within the deadline") from None


class Ahead:
    """Stands in for the future of a command that is sent only ahead of another (``ASKING``).

    It is done when the other is: if that one's caller goes before anything is sent, neither is
    sent. Its own reply or fault is dropped.
    """

    def __init__(self, of: asyncio.Future[Any]) -> None:
        self.done = of.done

    def set_result(self, _: Any) -> None:
        pass

    set_exception = set_result
