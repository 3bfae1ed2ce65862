"""The chart of a fleet's decisions, minute by minute."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import log10
from typing import NamedTuple

from pumpguard.decision import Action
from pumpguard.times import minute

WIDTH, HEIGHT, GAP = 600.0, 120.0, 2.0
"""The chart's size and the space between its bars, in units of its SVG."""


class Bar(NamedTuple):
    """One action's share of one minute, in units of the SVG."""

    x: float
    y: float
    width: float
    height: float
    action: str


class Minute(NamedTuple):
    """One minute: its bars from the bottom up, and the same in words."""

    label: str
    bars: list[Bar]


class Chart(NamedTuple):
    """Decisions per minute as bars. ``top`` is the count at the upper edge."""

    minutes: list[Minute]
    top: int
    first: str
    last: str
    total: int


def chart(minutes: Sequence[tuple[int, Counter[Action]]]) -> Chart:
    """The chart of minutes, oldest first: the start (Unix seconds) and the counts."""
    totals = [counts.total() for _, counts in minutes]
    top, step = _round(max(totals)), WIDTH / len(minutes)
    drawn = [
        Minute(_label(at, counts), _bars(i * step, step - GAP, counts, top))
        for i, (at, counts) in enumerate(minutes)
        if counts
    ]
    return Chart(drawn, top, minute(minutes[0][0]), minute(minutes[-1][0]), sum(totals))


def _bars(x: float, width: float, counts: Counter[Action], top: int) -> list[Bar]:
    bars, y = [], HEIGHT
    for action in Action:
        if counts[action]:
            height = counts[action] / top * HEIGHT
            y -= height
            bars.append(Bar(x, y, width, height, str(action)))
    return bars


def _round(most: int) -> int:
    """The next round number up."""
    if most <= 10:
        return max(1, most)
    unit: int = 10 ** int(log10(most))
    return next(round(n * unit) for n in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if most <= n * unit)


def _label(at: int, counts: Counter[Action]) -> str:
    counted = ", ".join(f"{counts[action]} {action}" for action in Action if counts[action])
    return f"{minute(at)}: {counted}"
