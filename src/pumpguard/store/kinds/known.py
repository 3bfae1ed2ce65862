"""Numbers that were verified before. Twin: ``known.lua``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from pumpguard.store.base import DAY

Kept: TypeAlias = tuple[int, int]
"""Until when the number is known, and when a verification last counted."""


@dataclass(slots=True)
class KnownLook:
    """Never full, and never written by a request."""

    used: int
    wait: int = 0

    def charged(self) -> None:
        """Sending to a number says nothing about it."""


def look(stored: Kept | None, now: int) -> KnownLook:
    """Whether the number is known."""
    return KnownLook(int(stored is not None and stored[0] > now))


def verified(
    span: int, stored: Kept | None, now: int, has_ticket: bool
) -> tuple[tuple[Kept, int], bool]:
    """What to store until when, and whether this verification counts: one in a day does."""
    counted = stored[1] if stored else 0
    counts = has_ticket and now - counted >= DAY * 1000
    kept = now + span, now if counts else counted
    return (kept, now + max(span, DAY * 1000)), counts
