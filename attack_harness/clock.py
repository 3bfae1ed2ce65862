"""Simulated time: the day that the harness plays, and the agenda of who acts next."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from datetime import UTC, datetime

from .actors import Actor, Reply, Start

DAY = 86_400.0
HOUR = 3_600.0
MIDNIGHT = datetime(2026, 3, 3, tzinfo=UTC).timestamp()
"""The simulated day is a Tuesday in UTC (a retailer lost 18,000 EUR in a Tuesday night)."""


def hour_label(at: float) -> str:
    """``05:00:12`` for a moment of the simulated day, ``2d 05:00:12`` for one two days later."""
    label = datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S")
    days = int((at - MIDNIGHT) // DAY)
    return f"{days}d {label}" if days > 0 else label


def to_millisecond(at: float) -> float:
    """Times are kept to the millisecond, so that they survive headers and JSON unchanged."""
    return round(at, 3)


Turn = tuple[float, int, str, Actor, Reply | None]
"""When, in what order, whose side, who, and the reply that wakes it (None: it has not begun)."""


class Agenda:
    """A heap of turns; ties are broken by the order in which they were put in."""

    def __init__(self, starts: Iterable[Start]) -> None:
        self._sequence = 0
        self._heap: list[Turn] = []
        for start in starts:
            self.put(start.at, start.side, start.actor, None)

    def __bool__(self) -> bool:
        return bool(self._heap)

    def put(self, at: float, side: str, actor: Actor, reply: Reply | None) -> None:
        """Give an actor its next turn."""
        self._sequence += 1
        heapq.heappush(self._heap, (to_millisecond(at), self._sequence, side, actor, reply))

    def take(self) -> Turn:
        """The earliest turn of all."""
        return heapq.heappop(self._heap)

    def take_tick(self, tick: float) -> list[Turn]:
        """The earliest turn and all others within the same tick of the clock."""
        turns = [self.take()]
        end = (turns[0][0] // tick + 1) * tick
        while self._heap and self._heap[0][0] < end:
            turns.append(self.take())
        return turns
