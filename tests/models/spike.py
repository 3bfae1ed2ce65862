"""The average that a spike is held against, by its definition."""

from __future__ import annotations

FOUNDED, REMEMBERED = 24, 48
"""Hours before anything is a spike; hours in the average."""


class HourlyAverage:
    """Thousandths of a hit per hour, over the last two days; ``least`` is the average below which
    nothing is a spike."""

    def __init__(self, least: int = 0) -> None:
        self.least, self.seen, self.average = least, 0, 0

    def hour(self, hits: int) -> None:
        """An hour with so many hits is over."""
        counted = 1000 * hits
        if self.seen >= FOUNDED:  # a spike cannot make itself usual at once
            counted = min(counted, max(2 * self.average, self.least))
        self.seen += 1
        self.average += (counted - self.average) // min(self.seen, REMEMBERED)
