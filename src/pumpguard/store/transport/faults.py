"""What can go wrong between a call and its reply, told apart by what is known about the call."""

from __future__ import annotations

from redis import exceptions as redis

from pumpguard.errors import StoreError

LONGEST_TEXT = 200


class Unreachable(StoreError):
    """There was no connection in time: the call was never sent, so it has not counted."""


class Overloaded(StoreError):
    """Too many calls are in flight: this one was never sent."""


class Late(StoreError):
    """No reply within the deadline: the call may have counted, or may yet."""


class Lost(StoreError):
    """The connection broke before the reply: the call may have counted."""


class ErrorReply(StoreError):
    """The server answered with an error; ``reply`` is redis-py's exception for it."""

    def __init__(self, reply: redis.RedisError, text: str) -> None:
        self.reply = reply
        super().__init__(text)

    @classmethod
    def of(cls, text: str) -> ErrorReply:
        """The error that a server's ``-CODE and words`` stand for."""
        code, _, words = text.partition(" ")
        kind = KINDS.get(code, redis.ResponseError)
        try:
            reply = kind(words if code in KINDS else text)
        except ValueError:  # a redirection to nowhere
            reply = redis.ResponseError(text)
        return cls(reply, text[:LONGEST_TEXT])


KINDS: dict[str, type[redis.RedisError]] = {
    "ASK": redis.AskError,
    "CLUSTERDOWN": redis.ClusterDownError,
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
"""Error replies by their first word, as the protocol has it; all others are ``ResponseError``."""
