"""The last decisions and alerts of this process, and the chart of all that were made."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cached_property
from math import log10
from typing import NamedTuple

from pumpguard.alerts import Alert
from pumpguard.attempt import Attempt
from pumpguard.decision import Action, Decision
from pumpguard.listeners import Listener, Recorded
from pumpguard.ops.console.text import masked_explanation

WIDTH, HEIGHT, GAP = 600.0, 120.0, 2.0
"""The chart's size and the space between its bars, in units of its SVG."""

MAX_ENTRIES = 50


class Entry:
    """One decision and its time (Unix seconds)."""

    def __init__(self, at: float, decision: Decision) -> None:
        self.at = at
        self.action = str(decision.action)
        self._decision = decision

    def concerns(self, attempt: Attempt, number: bool, address: bool) -> bool:
        """Whether it is about the same number, or address, or both."""
        mine = self._decision.attempt
        return (not number or mine.phone.e164 == attempt.phone.e164) and (
            not address or mine.client.network == attempt.client.network
        )

    @cached_property
    def explained(self) -> tuple[str, list[str]]:
        """The request in a line, and a line for each finding, masked."""
        head, *findings = masked_explanation(self._decision).splitlines()
        return head.partition(": ")[2], [finding.strip() for finding in findings]


class Activity(Listener):
    """Keeps the last fifty decisions and the last fifty refusals of this process, and its alerts.
    They are explained only when the page is shown: a request costs no more than the keeping."""

    name = "the console"

    def __init__(self) -> None:
        self.last: deque[Entry] = deque(maxlen=MAX_ENTRIES)
        self.refused: deque[Entry] = deque(maxlen=MAX_ENTRIES)
        self.alerts: deque[Alert] = deque(maxlen=MAX_ENTRIES)

    def decided(self, recorded: Recorded) -> None:
        entry = Entry(recorded.at, recorded.decision)
        self.last.appendleft(entry)
        if recorded.decision.action is not Action.ALLOW:
            self.refused.appendleft(entry)

    def alerted(self, alert: Alert) -> None:
        self.alerts.appendleft(alert)

    def about(self, attempt: Attempt, *, number: bool, address: bool) -> list[Entry]:
        """What this process still knows of the same number, or address, or both; newest first."""
        kept = {id(each): each for each in (*self.last, *self.refused)}
        found = [each for each in kept.values() if each.concerns(attempt, number, address)]
        return sorted(found, key=lambda each: -each.at)


class Bar(NamedTuple):
    """One action's share of one minute, in units of the SVG."""

    x: float
    y: float
    width: float
    height: float
    action: str


class Minute(NamedTuple):
    """One minute: its bars from the bottom up, and the same in words."""

    label: str
    bars: list[Bar]


class Chart(NamedTuple):
    """Decisions per minute as bars. ``top`` is the count at the upper edge."""

    minutes: list[Minute]
    top: int
    first: str
    last: str
    total: int


def chart(minutes: Sequence[tuple[int, Counter[Action]]]) -> Chart:
    """The chart of minutes, oldest first: the start (Unix seconds) and the counts."""
    totals = [counts.total() for _, counts in minutes]
    top, step = _round(max(totals)), WIDTH / len(minutes)
    drawn = [
        Minute(_label(at, counts), _bars(i * step, step - GAP, counts, top))
        for i, (at, counts) in enumerate(minutes)
        if counts
    ]
    return Chart(drawn, top, _clock(minutes[0][0]), _clock(minutes[-1][0]), sum(totals))


def _bars(x: float, width: float, counts: Counter[Action], top: int) -> list[Bar]:
    bars, y = [], HEIGHT
    for action in Action:
        if counts[action]:
            height = counts[action] / top * HEIGHT
            y -= height
            bars.append(Bar(x, y, width, height, str(action)))
    return bars


def _round(most: int) -> int:
    """The next round number up."""
    if most <= 10:
        return max(1, most)
    unit: int = 10 ** int(log10(most))
    return next(round(n * unit) for n in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if most <= n * unit)


def _label(at: int, counts: Counter[Action]) -> str:
    counted = ", ".join(f"{counts[action]} {action}" for action in Action if counts[action])
    return f"{_clock(at)}: {counted}"


def _clock(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%H:%M}"
