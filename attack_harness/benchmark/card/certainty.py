"""Confidence intervals: whole seeds are drawn again and again, because cells of one seed share
their users and are not independent."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from .tally import Figures, Tally, percentile

RESAMPLES = 400
LOW, HIGH = 0.025, 0.975

Families: TypeAlias = Mapping[str, Tally]
"""The tallies of one seed, or of several, by family."""


def with_intervals(
    seeds: Mapping[int, Families], figures: Callable[[Families], Figures]
) -> dict[str, Any]:
    """Each figure as ``{"value", "low", "high"}``: a 95 % percentile bootstrap over the seeds."""
    measured = figures(together(list(seeds.values())))
    draws: dict[str, list[float]] = {name: [] for name in measured}
    rng = random.Random(len(seeds))  # the same figures from the same cells
    chosen = sorted(seeds)
    if len(chosen) > 1:
        for _ in range(RESAMPLES):
            again = figures(together([seeds[rng.choice(chosen)] for _ in chosen]))
            for name, value in again.items():
                if value is not None:
                    draws.setdefault(name, []).append(value)
    return {name: _interval(value, draws[name]) for name, value in measured.items()}


def together(seeds: list[Families]) -> Families:
    """The tallies of several seeds, family by family."""
    names = dict.fromkeys(name for families in seeds for name in families)
    return {name: Tally.all(f[name] for f in seeds if name in f) for name in names}


def _interval(value: float | None, draws: list[float]) -> dict[str, float | None]:
    draws.sort()
    return {
        "value": _tidy(value),
        "low": _tidy(percentile(draws, LOW)),
        "high": _tidy(percentile(draws, HIGH)),
    }


def _tidy(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
