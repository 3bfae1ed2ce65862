"""Different positions close to this one in a sliding window. Twin: ``neighbours.lua``.

Bots walk through a block (…123, …124, …125) or draw from it at random; real users almost never
sit next to each other within the hour.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from pumpguard.counters import NEIGHBOURS_REMEMBERED

Hits: TypeAlias = tuple[tuple[int, int], ...]


@dataclass(slots=True)
class NeighboursLook:
    """``near`` holds the latest time of each other position within reach, newest first."""

    limit: int
    span: int
    now: int
    live: Hits
    near: list[int]
    position: int

    @property
    def used(self) -> int:
        """Different other positions within reach."""
        return len(self.near)

    @property
    def wait(self) -> int:
        """Until fewer than ``limit`` neighbours are left in the window."""
        if self.used < self.limit:
            return 0
        return self.near[self.limit - 1] + self.span - self.now

    def charged(self) -> tuple[Hits, int]:
        """This position, seen now."""
        hits = (*self.live, (self.now, self.position))
        return hits[-NEIGHBOURS_REMEMBERED:], self.now + self.span


def look(
    limit: int, span: int, position: int, distance: int, stored: Hits | None, now: int
) -> NeighboursLook:
    """Read the neighbourhood of ``position`` over ``span`` milliseconds."""
    stored = stored or ()
    now = max([now, *(time for time, _ in stored)])
    live = tuple([hit for hit in stored if hit[0] > now - span])
    near: dict[int, int] = {}
    for time, place in reversed(live):
        if place != position and abs(place - position) <= distance:
            near.setdefault(place, time)
    return NeighboursLook(limit, span, now, live, list(near.values()), position)
