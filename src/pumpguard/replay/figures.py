"""How figures of a replay are told: times, shares with their intervals, and sums."""

from __future__ import annotations

from datetime import UTC, datetime
from math import sqrt
from typing import Any

from pumpguard.replay.tally import Customers, HeldOut, Sum

Z = 1.96
"""Standard deviations of a 95 % interval."""


def moment(at: float) -> str:
    """A time for people, in UTC."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"


def interval(some: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927)."""
    share, square = some / of, Z * Z
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = Z / (1 + square / of) * sqrt(share * (1 - share) / of + square / (4 * of * of))
    return max(0.0, middle - half), min(1.0, middle + half)


def held_out_line(held: HeldOut) -> str:
    """What a hold-out has measured, with its error bars: a sentence."""
    low, high = interval(held.verified, len(held.numbers))
    return (
        f"Held out: {held.sum.messages:,} messages that rules would have refused went out "
        f"(${held.sum.usd:,.2f}), to {len(held.numbers):,} numbers. For {held.verified:,} of these "
        f"a code was entered ({held.verified / len(held.numbers):.2%}; 95 % interval {low:.2%} to "
        f"{high:.2%}): so many of the refused are customers."
    )


def held_out(held: HeldOut) -> dict[str, Any]:
    """The same for JSON."""
    return {
        **sum_(held.sum),
        "numbers": len(held.numbers),
        "verified": held.verified,
        "verified_interval": list(interval(held.verified, len(held.numbers))),
    }


def sum_(each: Sum) -> dict[str, Any]:
    """Messages and USD for JSON."""
    return {"messages": each.messages, "usd": round(each.usd, 4)}


def customers(each: Customers) -> dict[str, Any]:
    """For JSON, with the interval of those refused."""
    low, high = interval(each.refused, each.all) if each.all else (0.0, 1.0)
    return {
        "verified": each.all,
        "asked": each.asked,
        "refused": each.refused,
        "refused_share": each.refused / each.all if each.all else 0.0,
        "refused_interval": [low, high],
    }
