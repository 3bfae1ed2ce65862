"""How long after a message its code is entered."""

from __future__ import annotations

from bisect import bisect_left

ENOUGH = 50
"""Verifications before anything is said of how long they take."""

HALVED_AT = 250
"""Verifications until all so far count half.

No source: with 500 a provider that was slow for an hour was noticed when the hour was nearly over,
and below 200 the slow tail of a country drops out of the histogram at times.
"""

QUANTILE = 0.95
GIVE_UP_FACTOR = 2.0
"""A send is given up after so many times what nearly all verifications take."""

SHORTEST_MS = 60_000
EDGES_MS = tuple(round(1_000 * 1.25**step) for step in range(33))
"""From 1 s to 21 minutes, each a quarter longer than the one before."""


class Delays:
    """A histogram of the time from sending to verifying; old ones count less and less.

    ``matures_after`` is the age in milliseconds after which an unverified send will hardly be
    verified any more, or ``None`` while too little is known.

    People take 13.5 s in the median and code lifetimes are minutes, so a fixed age at which a send
    speaks against its range is either slow or unjust where messages take long to arrive.
    """

    def __init__(self) -> None:
        self.matures_after: int | None = None
        self.counts = [0.0] * (len(EDGES_MS) + 1)
        self.total = 0.0

    def go_on_from(self, other: Delays) -> None:
        """Know what another one has seen."""
        self.matures_after, self.counts, self.total = other.matures_after, other.counts, other.total

    def add(self, milliseconds: int) -> None:
        """A message was verified at this age."""
        self.counts[bisect_left(EDGES_MS, milliseconds)] += 1
        self.total += 1
        if self.total >= HALVED_AT:
            self.counts = [count / 2 for count in self.counts]
            self.total = sum(self.counts)
        self.matures_after = self._matures_after()

    def _matures_after(self) -> int | None:
        left = QUANTILE * self.total
        for edge, count in zip(EDGES_MS, self.counts, strict=False):
            left -= count
            if self.total >= ENOUGH and left <= 0:
                return max(SHORTEST_MS, round(GIVE_UP_FACTOR * edge))
        return None
