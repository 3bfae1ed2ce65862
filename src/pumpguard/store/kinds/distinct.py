"""Distinct members in a sliding window, such as countries per network. Twin: ``distinct.lua``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class DistinctLook:
    """``live`` maps each member inside the window to its latest time."""

    limit: int
    span: int
    now: int
    live: dict[str, int]
    member: str

    @property
    def used(self) -> int:
        """Different members inside the window."""
        return len(self.live)

    @property
    def wait(self) -> int:
        """A known member always fits; a new one waits until enough others have aged out."""
        if self.member in self.live or self.used < self.limit:
            return 0
        return sorted(self.live.values())[self.used - self.limit] + self.span - self.now

    def charged(self) -> tuple[dict[str, int], int]:
        """This member, seen now."""
        return {**self.live, self.member: self.now}, self.now + self.span


def look(
    limit: int, span: int, member: str, stored: dict[str, int] | None, now: int
) -> DistinctLook:
    """Read a distinct count of ``span`` milliseconds."""
    stored = stored or {}
    now = max([now, *stored.values()])
    live = {name: time for name, time in stored.items() if time > now - span}
    return DistinctLook(limit, span, now, live, member)
