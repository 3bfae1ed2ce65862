"""The kinds of counter: each one short Lua file for Redis and its Python twin for memory.

A twin has one function, ``look(counter, stored, now)``, that reads what is stored at a time in
milliseconds and returns a `Look`. Both languages are held against one exact model by
``tests/store/``.
"""

from __future__ import annotations

from typing import Any, Protocol

Stored = Any
"""What a kind keeps between requests; only the kind that wrote it reads it.

The kinds that every request writes keep tuples of numbers and no lists: the garbage collector stops
following those after a few passes. What it follows, it follows while the event loop stands still,
and most of all during an outage, when a process fills its own store: a full pass over a process
with 50,000 counters took 19 ms with lists, and takes 6.
"""


class Look(Protocol):
    """A counter as one request sees it: read once, written back only if it is charged."""

    @property
    def used(self) -> int:
        """The count before this request."""
        ...

    @property
    def wait(self) -> int:
        """Milliseconds until this request would fit, 0 if it does now."""
        ...

    def charged(self) -> tuple[Stored, int] | None:
        """What to store once this request is counted, and until when; nothing if kinds of this
        sort are not written by requests."""
        ...
