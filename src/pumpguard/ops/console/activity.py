"""What this process has decided since it started: counts, the last decisions, alerts, a chart."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cached_property
from math import log10
from typing import NamedTuple

from pumpguard.alerts import Alert
from pumpguard.counters import micros
from pumpguard.decision import Action, Decision
from pumpguard.listeners import Listener, Recorded
from pumpguard.ops.console.text import masked_explanation
from pumpguard.ops.metrics import FirewallMetrics

WIDTH, HEIGHT, GAP = 600.0, 120.0, 2.0
"""The chart's size and the space between its bars, in units of its SVG."""

MINUTES = 60
MAX_ENTRIES = 50


class Entry:
    """One decision and its time (Unix seconds)."""

    def __init__(self, at: float, decision: Decision) -> None:
        self.at = at
        self.action = str(decision.action)
        self._decision = decision

    @cached_property
    def explained(self) -> tuple[str, list[str]]:
        """The request in a line, and a line for each finding, masked."""
        head, *findings = masked_explanation(self._decision).splitlines()
        return head.partition(": ")[2], [finding.strip() for finding in findings]


class Activity(Listener):
    """Records a guard's decisions and alerts in memory. ``clock`` gives Unix seconds.

    It keeps the last fifty decisions and the last fifty refusals, and explains them only when the
    page is shown: a request costs no more than the recording.
    """

    name = "the console"

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self.since = clock()
        self.metrics = FirewallMetrics()
        self.minutes: deque[tuple[int, Counter[Action]]] = deque(maxlen=MINUTES)
        self.last: deque[Entry] = deque(maxlen=MAX_ENTRIES)
        self.refused: deque[Entry] = deque(maxlen=MAX_ENTRIES)
        self.alerts: deque[Alert] = deque(maxlen=MAX_ENTRIES)
        self._saved: Counter[Action] = Counter()

    def decided(self, recorded: Recorded) -> None:
        decision, now = recorded.decision, recorded.at
        action = decision.action
        self.metrics.record(decision)
        self._minute(int(now // 60))[action] += 1
        entry = Entry(now, decision)
        self.last.appendleft(entry)
        if action is not Action.ALLOW:
            self.refused.appendleft(entry)
            self._saved[action] += micros(decision.attempt.price or 0.0)

    def alerted(self, alert: Alert) -> None:
        self.alerts.appendleft(alert)

    def not_spent(self, *actions: Action) -> float:
        """USD that messages refused by these actions would have cost."""
        return sum(self._saved[action] for action in actions) / 1e6

    def by_minute(self) -> list[tuple[int, Counter[Action]]]:
        """The minutes of the last hour, oldest first: the start (Unix seconds) and the counts."""
        counted, now = dict(self.minutes), int(self._clock() // 60)
        minutes = range(now - MINUTES + 1, now + 1)
        return [(minute * 60, counted.get(minute, Counter())) for minute in minutes]

    def _minute(self, minute: int) -> Counter[Action]:
        if not self.minutes or self.minutes[-1][0] < minute:
            self.minutes.append((minute, Counter()))
        return self.minutes[-1][1]


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
    """The chart of `Activity.by_minute`."""
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
