"""The wire format, RESP2: hiredis where it is installed, and the same in Python where it is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, cast

from pumpguard.store.transport.calls import ErrorReply

Word = bytes | str | int | float

NOTHING: Any = object()
"""What a reader returns while the next reply is incomplete; ``None`` is a reply."""

MAX_DEPTH = 8
"""Levels of nested lists that a reply may have."""


class BrokenReply(Exception):
    """Bytes that are not RESP2."""


class Reader(Protocol):
    """Takes bytes and gives replies."""

    def feed(self, data: bytes, /) -> None: ...

    def gets(self) -> Any:
        """The next reply, or `NOTHING` while it is incomplete. Raises `BrokenReply`."""


class Codec(NamedTuple):
    """How commands are written and replies are read."""

    pack: Callable[[tuple[Word, ...]], bytes]
    reader: Callable[[], Reader]


def pack(command: tuple[Word, ...]) -> bytes:
    """A command as an array of bulk strings."""
    parts = [b"*%d\r\n" % len(command)]
    for word in command:
        data = word if isinstance(word, bytes) else _encoded(word)
        parts.append(b"$%d\r\n%b\r\n" % (len(data), data))
    return b"".join(parts)


def _encoded(word: str | int | float) -> bytes:
    if isinstance(word, str):
        return word.encode()
    if isinstance(word, int | float):
        return repr(word).encode()
    raise TypeError(f"a command is made of bytes, str, int and float, not {type(word).__name__}")


class PythonReader:
    """Reads replies without hiredis; an incomplete one is parsed from its start again."""

    def __init__(self) -> None:
        self._data = b""
        self._at = 0

    def feed(self, data: bytes, /) -> None:
        self._data = self._data[self._at :] + data
        self._at = 0

    def gets(self) -> Any:
        try:
            reply, self._at = self._reply(self._at)
        except _IncompleteReply:
            return NOTHING
        except ValueError as error:
            raise BrokenReply(str(error)) from None
        return reply

    def _reply(self, at: int, depth: int = 0) -> tuple[Any, int]:
        """The reply that begins at a byte, and where the next one does."""
        data = self._data
        kind, end = data[at : at + 1], data.find(b"\r\n", at)
        if kind not in b"+-:$*" or (kind == b"*" and depth == MAX_DEPTH):
            raise BrokenReply(f"a reply starts with {data[at : at + 20]!r}")
        if end < 0:
            raise _IncompleteReply
        line, at = data[at + 1 : end], end + 2
        if kind == b"+":
            return line, at
        if kind == b"-":
            return ErrorReply.of(line.decode(errors="replace")), at
        number = int(line)
        if kind == b":":
            return number, at
        if number < 0:
            return None, at
        if kind == b"*":
            items = []
            for _ in range(number):
                item, at = self._reply(at, depth + 1)
                items.append(item)
            return items, at
        end = at + number
        if len(data) < end + 2:
            raise _IncompleteReply
        if data[end : end + 2] != b"\r\n":
            raise BrokenReply("a bulk string is longer than it says")
        return data[at:end], end + 2


class _IncompleteReply(Exception):
    """More bytes have to come first."""


PYTHON = Codec(pack, PythonReader)
FASTEST = PYTHON
try:
    import hiredis
except ImportError:
    pass
else:

    def _hiredis_reader() -> Reader:
        return hiredis.Reader(
            protocolError=BrokenReply,
            replyError=ErrorReply.of,
            errors="replace",
            notEnoughData=NOTHING,
        )

    FASTEST = Codec(cast(Any, hiredis.pack_command), _hiredis_reader)  # its stub says 1-tuple
