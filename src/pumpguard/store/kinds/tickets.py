"""Messages that wait for their outcome. Twin: ``tickets.lua``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

from pumpguard.counters import Tickets
from pumpguard.store.base import Open

LONGEST_SEGMENT = 255
FIXED, PER_SUBJECT = 16, 10
"""Bytes of a ticket in Redis: id, time and price; and a key hash for each remembered subject."""

Kept: TypeAlias = list[Open]
"""Oldest first."""


@dataclass(slots=True)
class TicketsLook:
    """The tickets that are open, oldest first, and the one to write, if any."""

    counter: Tickets
    now: int
    live: Kept
    new: Open | None
    wait: int = 0

    @property
    def used(self) -> int:
        """How many are open."""
        return len(self.live)

    @property
    def owed(self) -> int:
        """What they cost together, in µ$."""
        return sum(each.price for each in self.live)

    def charged(self) -> tuple[Kept, int] | None:
        """With the new one; the oldest make room."""
        if self.new is None:
            return None
        all_open = [*self.live, replace(self.new, at=self.now)]
        return all_open[-kept(self.counter) :], self.now + self.counter.seconds * 1000

    def taken(self, ticket: bytes) -> Open | None:
        """The open ticket of this id."""
        return next((each for each in self.live if each.ticket == ticket), None)


def size(counter: Tickets) -> int:
    """Bytes of one ticket."""
    return FIXED + PER_SUBJECT * len(counter.remembers)


def kept(counter: Tickets) -> int:
    """How many tickets fit."""
    return min(counter.keep, LONGEST_SEGMENT // size(counter))


def look(counter: Tickets, new: Open | None, stored: Kept | None, now: int) -> TicketsLook:
    """Read the tickets of a number; ``new`` is the one that this request would write."""
    if stored:
        now = max(now, stored[-1].at)
    live = [each for each in stored or [] if each.at > now - counter.seconds * 1000]
    return TicketsLook(counter, now, live, new)
