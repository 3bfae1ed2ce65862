"""Times for people: Unix seconds, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime


def when(at: float) -> str:
    """A day and the minute of it, as in the logs."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"


def exactly(at: float) -> str:
    """The same, to the second."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"


def minute(at: float) -> str:
    """The minute of a day."""
    return f"{datetime.fromtimestamp(at, UTC):%H:%M}"


def clock(at: float) -> str:
    """The same, to the second."""
    return f"{datetime.fromtimestamp(at, UTC):%H:%M:%S}"
