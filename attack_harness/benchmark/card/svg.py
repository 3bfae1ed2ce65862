"""Plots for the page, as SVG: dots with whiskers on a straight or a logarithmic scale."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from .colours import GOOD, INK, LINE, OTHER, SOFT

WIDTH, LEFT, RIGHT, ROW, TOP = 760, 190, 110, 30, 26


class Mark(NamedTuple):
    """One dot with its whisker."""

    low: float
    value: float
    high: float
    colour: str = GOOD


class Line(NamedTuple):
    """One row of a plot."""

    title: str
    marks: Sequence[Mark]
    words: str


Scale = Callable[[float], float]
"""From a value to a part of the width, 0 to 1."""


def straight(low: float, high: float) -> Scale:
    """Equal steps."""
    return lambda value: (value - low) / ((high - low) or 1.0)


def logarithmic(high: float) -> Scale:
    """Equal factors, with a place for 0."""
    return lambda value: math.log10(1 + value) / (math.log10(1 + high) or 1.0)


def plot(lines: Sequence[Line], scale: Scale, ticks: Sequence[tuple[float, str]]) -> str:
    """The whole plot."""
    height = TOP + ROW * len(lines) + 8
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" xmlns="http://www.w3.org/2000/svg"'
        f' font-family="system-ui, sans-serif" font-size="13" fill="{INK}">'
    ]
    for value, words in ticks:
        x = _x(scale(value))
        parts.append(f'<line x1="{x}" x2="{x}" y1="{TOP - 6}" y2="{height - 4}" stroke="{LINE}"/>')
        parts.append(_text(x, TOP - 12, words, anchor="middle", colour=SOFT))
    for number, line in enumerate(lines):
        parts.append(_row(line, TOP + ROW * (number + 0.5), scale))
    return "".join(parts) + "</svg>"


def _row(line: Line, y: float, scale: Scale) -> str:
    parts = [_text(LEFT - 14, y + 4, line.title, anchor="end")]
    for number, mark in enumerate(line.marks):
        at = y + (number - (len(line.marks) - 1) / 2) * 9
        low, middle, high = (_x(scale(v)) for v in (mark.low, mark.value, mark.high))
        parts.append(
            f'<line x1="{low}" x2="{high}" y1="{at}" y2="{at}" stroke="{mark.colour}"'
            f' stroke-width="4" stroke-linecap="round" opacity=".35"/>'
            f'<circle cx="{middle}" cy="{at}" r="4.5" fill="{mark.colour}"/>'
        )
    parts.append(_text(WIDTH - RIGHT + 14, y + 4, line.words, colour=SOFT))
    return "".join(parts)


def _x(part: float) -> float:
    return round(LEFT + (WIDTH - LEFT - RIGHT) * min(1.0, max(0.0, part)), 1)


def _text(x: float, y: float, words: str, *, anchor: str = "start", colour: str = INK) -> str:
    escaped = words.replace("&", "&amp;").replace("<", "&lt;")
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="{colour}">{escaped}</text>'


TABLES = (GOOD, OTHER)
"""The colours of the price tables."""
