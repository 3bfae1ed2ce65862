"""The wire format, RESP2, as hiredis writes and reads it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import hiredis

from pumpguard.store.scripts import Word
from pumpguard.store.transport.calls import ErrorReply

NOTHING: Any = object()
"""What a reader returns while the next reply is incomplete; ``None`` is a reply."""

pack: Callable[[tuple[Word, ...]], bytes] = cast(Any, hiredis.pack_command)  # its stub: 1-tuple
"""A command as an array of bulk strings. Raises `TypeError` for what is no `Word`."""


class BrokenReply(Exception):
    """Bytes that are not RESP2."""


def reader() -> hiredis.Reader:
    """Takes bytes (``feed``) and gives replies (``gets``), of which errors are `ErrorReply`s, or
    `NOTHING`. Raises `BrokenReply`."""
    return hiredis.Reader(
        protocolError=BrokenReply, replyError=ErrorReply.of, errors="replace", notEnoughData=NOTHING
    )
