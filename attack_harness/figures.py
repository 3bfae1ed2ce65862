"""Small figures that all parts of the scorecard share."""

from __future__ import annotations

from typing import Any, TypeAlias

from rich import box
from rich.table import Table as Grid

Table: TypeAlias = dict[str, Any]
"""A part of the scorecard, ready for JSON."""


def money(dollars: float) -> float:
    """Dollars to the hundredth of a cent: exact enough, and free of floating point dust."""
    return round(dollars, 4)


def share(part: float, whole: float) -> float:
    """A part of a whole, and 0 of nothing."""
    return round(part / whole, 6) if whole else 0.0


def grid(title: str, *columns: str) -> Grid:
    """A table for the screen: what, and then its figures."""
    found = Grid(title=title, title_justify="left", box=box.HORIZONTALS)
    for number, column in enumerate(columns):
        found.add_column(column, justify="right" if number else "left")
    return found
