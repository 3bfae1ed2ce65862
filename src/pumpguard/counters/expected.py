"""Counters while more than usual is expected, because somebody has announced it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar, cast

from pumpguard.counters.base import Counter
from pumpguard.counters.credit import Credit
from pumpguard.counters.spend import Spend
from pumpguard.counters.window import Window
from pumpguard.decision import Finding

HOUR = 3_600
EVERYWHERE = ""
"""In the place of a country: all of them."""

WIDENED = frozenset({"everything", "country", "calling_code", "country+client_abroad"})
"""The dimensions of which a launch fills one subject, and not its limits for each person."""

C = TypeVar("C", bound=Counter)


class Expected(NamedTuple):
    """How many times as much as usual is expected to one country (``here``), and to the busiest of
    all (``anywhere``), whose messages fill what is kept by everything."""

    here: float
    anywhere: float

    @classmethod
    def of(cls, times: Mapping[str, float], country: str | None) -> Expected | None:
        """For messages to a country, if ``times`` is expected of some, by country; ``None`` if
        nothing is."""
        if not times:
            return None
        here = max(times.get(country or EVERYWHERE, 1.0), times.get(EVERYWHERE, 1.0))
        return cls(here, max(times.values()))

    def widened(self, counters: Iterable[C]) -> tuple[C, ...]:
        """The counters, of which lines of credit and limits by country, calling code and
        everything, and of budgets the hour's share, are so many times as wide."""
        return tuple(self.wider(counter) for counter in counters)

    def noted(self, findings: Iterable[Finding]) -> list[Finding]:
        """The findings, of which those about what is wider say so: their rules know only what is
        usual."""
        return [self._noted(finding) for finding in findings]

    def _noted(self, finding: Finding) -> Finding:
        by = finding.evidence.get("by")
        if by not in WIDENED:
            return finding
        times = self.anywhere if by == "everything" else self.here
        return replace(finding, evidence={**finding.evidence, "expected": times})

    def wider(self, counter: C) -> C:
        """One counter; itself if it is none of these."""
        by, times = counter.by, self.anywhere if counter.by == "everything" else self.here
        if times == 1 or by not in WIDENED:
            return counter
        if isinstance(counter, Window) or (isinstance(counter, Spend) and counter.seconds <= HOUR):
            limits = {"limit": counter.limit, "reserved": counter.reserved}
        elif isinstance(counter, Credit):  # its reserve is a share of the line
            limits = {"limit": counter.limit}
        else:
            return counter
        wider = {name: round(limit * times) for name, limit in limits.items()}
        return cast(C, replace(cast(Any, counter), **wider))
