"""What several cells add up to, and the figures that follow from the sums."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import TypeAlias

from ...figures import Table
from ..people import GROUPS, SUBGROUPS

Figures: TypeAlias = dict[str, float | None]
"""Figures by name; None where nothing was measured."""

HORIZON = 1_440.0
"""Minutes: who is not served by then counts as this long."""


@dataclass
class Tally:
    """Sums, and lists for those figures that are percentiles."""

    sums: Counter[str] = field(default_factory=Counter)
    lists: dict[str, list[float]] = field(default_factory=dict)

    @classmethod
    def of(cls, cell: Table, open_: Table) -> Tally:
        """One cell beside the same cell without any defence."""
        tally = cls()
        tally._people(cell, open_)
        if cell["attack"] is not None:
            tally._attack(cell, open_)
        if cell.get("false_alerts") is not None:  # the day of a crowd
            tally.sums["crowds"] += 1
            tally.sums["false_alerts"] += cell["false_alerts"]
        return tally

    @classmethod
    def all(cls, tallies: Iterable[Tally]) -> Tally:
        """All of them together."""
        total = cls()
        for each in tallies:
            for name, amount in each.sums.items():
                total.sums[name] += amount
            for name, values in each.lists.items():
                total.lists.setdefault(name, []).extend(values)
        return total

    def _people(self, cell: Table, open_: Table) -> None:
        for group in GROUPS:
            here, there = cell["users"][group], open_["users"][group]
            # Whom the network lost without any defence either is not harmed by one.
            self.sums[f"people.{group}"] += here["people"] - len(there["unserved"])
            self.sums[f"harmed.{group}"] += len(set(here["unserved"]) - set(there["unserved"]))
            self.sums[f"challenged.{group}"] += here["challenged"]

    def _attack(self, cell: Table, open_: Table) -> None:
        attack, before = cell["attack"], cell["attack"]["before"]
        delay, leaves = before["delay_seconds"], attack["leaves_after_seconds"]
        lasts = attack["ends_seconds"] - attack["starts_seconds"]
        self.sums["attacks"] += 1
        self.sums["spend_without"] += open_["attack"]["spend"]
        self.sums["spend_with"] += attack["spend"]
        self.sums["before_messages"] += before["messages"]
        self.sums["before_dollars"] += before["dollars"]
        self.sums["unnoticed"] += delay is None
        self.sums["profit"] += attack["profit"]
        self.sums["stays"] += leaves is None
        self._note("before_messages", before["messages"])
        self._note("before_dollars", before["dollars"])
        self._note("delay", lasts if delay is None else delay)
        self._note("leaves", lasts if leaves is None else leaves)
        recovery = cell["recovery"]["recovery_minutes"]
        self._note("recovery", HORIZON if recovery is None else recovery)
        self._note("covered", cell["covered"]["per_blocked_number"])
        if attack["is_block"]:
            self._note("block_messages", before["messages"])
            self._note("block_covered", cell["covered"]["per_blocked_number"])

    def _note(self, name: str, value: float) -> None:
        self.lists.setdefault(name, []).append(float(value))

    def figures(self) -> Figures:
        """All figures of these cells."""
        s = self.sums
        found: Figures = {}
        for group in GROUPS:
            people = s[f"people.{group}"]
            found[f"harmed_share_{group}"] = ratio(s[f"harmed.{group}"], people)
            found[f"challenged_share_{group}"] = ratio(s[f"challenged.{group}"], people)
        found["harmed_share_worst_group"] = most(found[f"harmed_share_{g}"] for g in SUBGROUPS)
        found["false_alerts"] = ratio(s["false_alerts"], s["crowds"])
        return found | (self._attack_figures() if s["attacks"] else {})

    def _attack_figures(self) -> Figures:
        s, attacks = self.sums, self.sums["attacks"]
        return {
            "spend_without": ratio(s["spend_without"], attacks),
            "spend_with": ratio(s["spend_with"], attacks),
            "saved": ratio(s["spend_without"] - s["spend_with"], s["spend_without"]),
            **self._percentiles("before_messages", "before_dollars", "block_messages"),
            **self._percentiles("delay", "leaves", "recovery", "covered", "block_covered"),
            "unnoticed_share": ratio(s["unnoticed"], attacks),
            "attacker_profit": ratio(s["profit"], attacks),
            "attacker_stays_share": ratio(s["stays"], attacks),
        }

    def _percentiles(self, *names: str) -> Figures:
        found: Figures = {}
        for name in names:
            values = sorted(self.lists.get(name, ()))
            for part in (50, 95):
                found[f"{name}_p{part}"] = percentile(values, part / 100)
        return found


def ratio(part: float, whole: float) -> float | None:
    """A part of a whole; None of nothing."""
    return part / whole if whole else None


def percentile(ordered: Sequence[float], part: float) -> float | None:
    """The smallest value that at least this part of all values does not exceed."""
    return ordered[max(0, ceil(part * len(ordered)) - 1)] if ordered else None


def least(values: Iterable[float | None]) -> float | None:
    """The smallest of what was measured."""
    return min((value for value in values if value is not None), default=None)


def most(values: Iterable[float | None]) -> float | None:
    """The largest of what was measured."""
    return max((value for value in values if value is not None), default=None)
