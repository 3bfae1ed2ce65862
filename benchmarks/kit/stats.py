"""The arithmetic: medians, spreads, and ratios paired within a round."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, TypeAlias

Table: TypeAlias = dict[str, Any]
"""A piece of the results, ready for JSON."""


@dataclass(frozen=True, slots=True)
class Spread:
    """A median with its interquartile range, of so many values."""

    median: float
    low: float
    high: float
    n: int

    def table(self) -> Table:
        """As it stands in the JSON file."""
        return {name: round(value, 6) for name, value in asdict(self).items()}


def quantile(values: Sequence[float], q: float) -> float:
    """The q-quantile, interpolated between neighbours. Raises `ValueError` without values."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    place = q * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def spread(values: Iterable[float]) -> Spread:
    """Median and quartiles."""
    kept = list(values)
    return Spread(median(kept), quantile(kept, 0.25), quantile(kept, 0.75), len(kept))


def paired(over: Sequence[float], under: Sequence[float]) -> list[float]:
    """Ratios of values that were measured in the same round."""
    return [a / b for a, b in zip(over, under, strict=True)]


def added(values: Sequence[float], bare: Sequence[float]) -> list[float]:
    """What each value adds to the bare one of its round, in units of the bare one.

    A shared machine changes its speed from second to second; in units of a bare run right beside
    it, a figure keeps its meaning.
    """
    return [ratio - 1 for ratio in paired(values, bare)]


def share_of(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Ratios of added times, without the rounds whose noise swallowed the divisor."""
    return [a / b for a, b in zip(ours, theirs, strict=True) if b > 0]
