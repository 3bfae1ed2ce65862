"""The posture: how strict the whole fleet is, or is towards one country."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

EVERYWHERE = ""
"""The scope of an order that is for no country in particular."""


class Posture(IntEnum):
    """How strict to be, from mildest to strictest.

    ``observe`` judges and records and enforces nothing, budgets neither. ``normal`` is the policy.
    ``challenge_all`` asks everybody for proof. ``known_only`` lets through numbers that have
    verified before, by the policy. ``closed`` lets nobody through.
    """

    OBSERVE = 0
    NORMAL = 1
    CHALLENGE_ALL = 2
    KNOWN_ONLY = 3
    CLOSED = 4

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A posture that somebody ordered: who, when (Unix seconds), why, until when, what then.

    When it ends, the posture is ``then``; ``normal`` then means that there is no order any more.
    """

    posture: Posture
    author: str
    at: float
    reason: str = ""
    until: float | None = None
    then: Posture = Posture.NORMAL

    def standing(self, now: float) -> Posture | None:
        """What it orders at a time, if anything.

        ``normal`` without an end is how things are by themselves, so it is no order: it leaves the
        ladder free. With an end, it holds the ladder down until then.
        """
        if self.until is not None and now < self.until:
            return self.posture
        ordered = self.posture if self.until is None else self.then
        return None if ordered is Posture.NORMAL else ordered
