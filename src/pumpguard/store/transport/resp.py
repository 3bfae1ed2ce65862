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

    def feed(self, data: bytes, /) -> None:
        """Take bytes as they come."""

    def gets(self) -> Any:
        """The next reply, or `NOTHING` while it is incomplete. Raises for what is no reply."""


class Codec(NamedTuple):
    """How commands are written and replies are read."""

    pack: Callable[[tuple[Word, ...]], bytes]
    reader: Callable[[], Reader]


def pack(command: tuple[Word, ...]) -> bytes:
    """A command as an array of bulk strings."""
    parts = [b"*%d\r\n" % len(command)]
    for word in command:
        data = word if type(word) is bytes else _encoded(word)
        parts.append(b"$%d\r\n%b\r\n" % (len(data), data))
    return b"".join(parts)


def _encoded(word: Word) -> bytes:
    if isinstance(word, str):
        return word.encode()
    if isinstance(word, int | float):
        return repr(word).encode()
    if isinstance(word, bytes):
        return word
    raise TypeError(f"a command is made of bytes, str, int and float, not {type(word).__name__}")


class PythonReader:
    """Reads replies without hiredis; an incomplete one is parsed from its start again."""

    def __init__(self) -> None:
        self._data = b""
        self._at = 0

    def feed(self, data: bytes, /) -> None:
        """Take bytes as they come."""
        self._data = self._data[self._at :] + data
        self._at = 0

    def gets(self) -> Any:
        """The next reply, or `NOTHING` while it is incomplete. Raises `BrokenReply`."""
        try:
            reply, self._at = self._reply(self._at, 0)
        except _IncompleteReply:
            return NOTHING
        except ValueError as error:
            raise BrokenReply(str(error)) from None
        return reply

    def _reply(self, at: int, depth: int) -> tuple[Any, int]:
        line, at = self._line(at)
        kind, rest = line[:1], line[1:]
        if kind == b"+":
            return rest, at
        if kind == b"-":
            return ErrorReply.of(rest.decode(errors="replace")), at
        if kind == b":":
            return int(rest), at
        if kind == b"$":
            return self._bulk(int(rest), at)
        if kind == b"*" and depth < MAX_DEPTH:
            return self._array(int(rest), at, depth + 1)
        raise BrokenReply(f"a reply starts with {line[:20]!r}")

    def _line(self, at: int) -> tuple[bytes, int]:
        end = self._data.find(b"\r\n", at)
        if end < 0:
            first = self._data[at : at + 1]
            if first and first not in b"+-:$*":
                raise BrokenReply(f"a reply starts with {first!r}")
            raise _IncompleteReply
        return self._data[at:end], end + 2

    def _bulk(self, size: int, at: int) -> tuple[bytes | None, int]:
        if size < 0:
            return None, at
        end = at + size
        if len(self._data) < end + 2:
            raise _IncompleteReply
        if self._data[end : end + 2] != b"\r\n":
            raise BrokenReply("a bulk string is longer than it says")
        return self._data[at:end], end + 2

    def _array(self, size: int, at: int, depth: int) -> tuple[list[Any] | None, int]:
        if size < 0:
            return None, at
        items = []
        for _ in range(size):
            item, at = self._reply(at, depth)
            items.append(item)
        return items, at


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
