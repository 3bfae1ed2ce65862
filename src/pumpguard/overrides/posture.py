"""The posture: how strict the whole fleet is, or is towards one country."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

EVERYWHERE = ""
"""The key of the posture that holds for all countries."""


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
class PostureOverride:
    """A posture that a person has set: who, when (``at``, Unix seconds), why, and until when.

    After ``until`` the posture is ``then``; with ``then`` ``normal``, the override is over.
    """

    posture: Posture
    author: str
    at: float
    reason: str = ""
    until: float | None = None
    then: Posture = Posture.NORMAL

    def in_force(self, now: float) -> Posture | None:
        """The posture that it sets at a time, or ``None`` if it sets none.

        ``normal`` without an end sets none: escalation may step up. With an end, it keeps
        escalation from stepping up until then.
        """
        if self.until is not None and now < self.until:
            return self.posture
        posture = self.posture if self.until is None else self.then
        return None if posture is Posture.NORMAL else posture
