"""The scorecard's colours, the same in the picture and on the page."""

from __future__ import annotations

import itertools

INK, SOFT, LINE, PAPER, STRIP = "#1f2933", "#61707f", "#dfe5eb", "#ffffff", "#f5f7f9"
GOOD, BAD, OTHER = "#0b7a6b", "#c9553c", "#8795a5"

SCALE = ((0.0, "#f6ddd5"), (0.5, "#f8efda"), (0.8, "#dcefe6"), (0.95, "#8fcdb9"), (1.0, "#2f9c85"))
"""Backgrounds for the share saved: none of it, to all of it."""


def shade(saved: float) -> str:
    """The background for a share saved, blended between the steps of the scale."""
    saved = min(1.0, max(0.0, saved))
    for (low, cold), (high, warm) in itertools.pairwise(SCALE):
        if saved <= high:
            part = (saved - low) / (high - low)
            mixed = (round(a + (b - a) * part) for a, b in zip(rgb(cold), rgb(warm), strict=True))
            return "#" + "".join(f"{channel:02x}" for channel in mixed)
    return SCALE[-1][1]


def rgb(colour: str) -> tuple[int, int, int]:
    """``#0b7a6b`` as three numbers."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def on(background: str) -> str:
    """A colour for words on a background."""
    red, green, blue = rgb(background)
    return INK if 0.3 * red + 0.59 * green + 0.11 * blue > 135 else PAPER
