"""Messages that wait for their outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pumpguard.counters.base import Segment, Timed, Turn
from pumpguard.decision import Action

LONGEST_SEGMENT = 255
"""Bytes that all tickets of a number may take together."""

FIXED, KEY_HASH = 16, 10
"""Bytes of a ticket in Redis: id, time and price; and of each remembered subject's key hash."""


@dataclass(frozen=True, slots=True)
class Tickets(Timed):
    """The last ``keep`` messages to a number that wait for their outcome, for ``seconds``.

    ``remembers`` names the dimensions, other than those that follow from the number, whose
    subjects have to be told the outcome as well, such as ``network`` and ``session``. The whole
    must fit into 255 bytes, so fewer are kept if much is remembered; a ticket that is pushed out
    is never settled, which is only stricter. Never full.
    """

    rule: str
    seconds: int = 900
    keep: int = 8
    remembers: tuple[str, ...] = ()
    by: str = "phone"
    action: Action = Action.ALLOW

    may_refuse: ClassVar[bool] = False
    turn: ClassVar[Turn] = Turn.FIRST
    sets_apart: ClassVar[bool] = True
    told_of: ClassVar[frozenset[str]] = frozenset({"failed", "unallocated"})

    @property
    def size(self) -> int:
        """Bytes of one ticket."""
        return FIXED + KEY_HASH * len(self.remembers)

    @property
    def kept(self) -> int:
        """How many tickets fit."""
        return min(self.keep, LONGEST_SEGMENT // self.size)

    @property
    def layout(self) -> str:
        return ",".join(self.remembers)

    def tail(self, segment: Segment) -> bytes:
        """How many tickets are kept (1), the bytes of one (1)."""
        return bytes([self.kept, self.size])
