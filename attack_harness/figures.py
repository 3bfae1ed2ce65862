"""Small figures that all parts of the scorecard share."""

from __future__ import annotations

from typing import Any, TypeAlias

Table: TypeAlias = dict[str, Any]
"""A part of the scorecard, ready for JSON."""


def money(dollars: float) -> float:
    """Dollars to the hundredth of a cent: exact enough, and free of floating point dust."""
    return round(dollars, 4)


def share(part: float, whole: float) -> float:
    """A part of a whole, and 0 of nothing."""
    return round(part / whole, 6) if whole else 0.0
