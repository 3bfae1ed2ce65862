"""Decisions per minute as bars, reckoned here and drawn by the page as inline SVG."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from math import log10
from typing import NamedTuple

from pumpguard.decision import Action

WIDTH, HEIGHT, GAP = 600.0, 120.0, 2.0


class Bar(NamedTuple):
    """The part of one action in one minute, in the chart's own units."""

    x: float
    y: float
    width: float
    height: float
    action: str


class Minute(NamedTuple):
    """One minute: its bars from the ground up, and what they say in words."""

    label: str
    bars: tuple[Bar, ...]


class Chart(NamedTuple):
    """What the page draws. ``top`` is the count that reaches the upper edge."""

    minutes: tuple[Minute, ...]
    top: int
    first: str
    last: str
    total: int


def chart(minutes: Sequence[tuple[int, Counter[Action]]]) -> Chart:
    """Bars for minutes that begin at these Unix seconds."""
    top = _round(max((counts.total() for _, counts in minutes), default=0))
    step = WIDTH / max(1, len(minutes))
    return Chart(
        tuple(
            Minute(_label(at, counts), tuple(_bars(i * step, step - GAP, counts, top)))
            for i, (at, counts) in enumerate(minutes)
            if counts
        ),
        top,
        _clock(minutes[0][0]),
        _clock(minutes[-1][0]),
        sum(counts.total() for _, counts in minutes),
    )


def _bars(x: float, width: float, counts: Counter[Action], top: int) -> list[Bar]:
    bars, below = [], 0
    for action in Action:
        if counts[action]:
            height = counts[action] / top * HEIGHT
            y = HEIGHT - below / top * HEIGHT - height
            bars.append(
                Bar(round(x, 2), round(y, 2), round(width, 2), round(height, 2), str(action))
            )
            below += counts[action]
    return bars


def _round(most: int) -> int:
    """The next number up that people like."""
    if most <= 10:
        return max(1, most)
    unit: int = 10 ** int(log10(most))
    return next(round(n * unit) for n in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if most <= n * unit)


def _label(at: int, counts: Counter[Action]) -> str:
    said = ", ".join(f"{counts[action]} {action}" for action in Action if counts[action])
    return f"{_clock(at)}: {said}"


def _clock(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%H:%M}"
