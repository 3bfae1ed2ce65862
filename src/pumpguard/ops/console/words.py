"""How the page says things: times, durations, dollars."""

from __future__ import annotations

from datetime import UTC, datetime
from math import ceil, isfinite

from pumpguard.money.solve import Bound

UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))


def when(at: float) -> str:
    """A time (Unix seconds), always in UTC, as in the logs."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"


def clock(at: float) -> str:
    """The same without the day, to the second."""
    return f"{datetime.fromtimestamp(at, UTC):%H:%M:%S}"


def lasting(seconds: float) -> str:
    """A duration in its largest unit, rounded up: ``25 minutes``."""
    for unit, name in UNITS:
        count = ceil(seconds / unit)
        if count > 1 and (unit == 60 or seconds > unit * 1.5):
            return "an hour" if (count, name) == (60, "minute") else f"{count} {name}s"
    return "a minute"


def usd(amount: float) -> str:
    """Dollars, rounded up to a cent: most of them are bounds."""
    return f"${ceil(amount * 100 - 1e-7) / 100:,.2f}" if isfinite(amount) else "unbounded"


def because(bound: Bound) -> str:
    """The rules that hold a bound."""
    if not isfinite(bound.usd):
        return "nothing"
    return " + ".join(sorted(bound.rules)) or "the sum over countries"
