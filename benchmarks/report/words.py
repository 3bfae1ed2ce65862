"""The figures that both the screen and the picture show."""

from __future__ import annotations

from dataclasses import dataclass

from ..kit.stats import Table


@dataclass(frozen=True, slots=True)
class Added:
    """What one system adds to a request, in microseconds on a machine at its usual speed."""

    name: str
    title: str
    kind: str
    limits: int
    median: float
    low: float
    high: float


def ranked(costs: Table) -> list[Added]:
    """All systems by what they add with 64 requests at once, the cheapest first.

    What was measured in units of the bare app, pair by pair, is shown in its median's
    microseconds.
    """
    bare = costs["bare"]["concurrent"]["microseconds"]["median"]
    found = [
        Added(
            name,
            each["title"],
            each["kind"],
            each["limits"],
            *(each["concurrent"]["added_to_bare"][q] * bare for q in ("median", "low", "high")),
        )
        for name, each in costs.items()
        if each["kind"] != "bare"
    ]
    return sorted(found, key=lambda each: each.median)


def micro(value: float) -> str:
    """Microseconds for people."""
    return f"{value / 1000:.1f} ms" if value >= 1_000 else f"{value:.0f} µs"
