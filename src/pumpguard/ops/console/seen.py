"""What one process has seen since it began: counts, minutes, the last decisions, its alerts."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable
from functools import cached_property

from pumpguard.counters import micros
from pumpguard.decision import Action, Decision
from pumpguard.ops.alerts import Alert
from pumpguard.ops.console.discreet import explained
from pumpguard.ops.metrics import FirewallMetrics

MINUTES = 60
LAST = 50


class Entry:
    """One decision and when it was made (Unix seconds). It is explained when somebody looks."""

    def __init__(self, at: float, decision: Decision) -> None:
        self.at = at
        self.action = str(decision.action)
        self._decision = decision

    @cached_property
    def explained(self) -> tuple[str, list[str]]:
        """The request and each finding, a line each, masked."""
        head, *findings = explained(self._decision).splitlines()
        return head.partition(": ")[2], [finding.strip() for finding in findings]


class Seen:
    """Listens to a guard, in memory only. ``clock`` gives Unix seconds.

    Decisions are kept as they are, the last fifty and the last fifty that were refused, and
    explained when somebody looks: nothing is made ready on a request's behalf.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self.since = clock()
        self.metrics = FirewallMetrics()
        self.minutes: deque[tuple[int, Counter[Action]]] = deque(maxlen=MINUTES)
        self.last: deque[Entry] = deque(maxlen=LAST)
        self.refused: deque[Entry] = deque(maxlen=LAST)
        self.alerts: deque[Alert] = deque(maxlen=LAST)
        self._saved: Counter[Action] = Counter()

    def decision(self, decision: Decision) -> None:
        """One more decision."""
        now, action = self._clock(), decision.action
        self.metrics.record(decision)
        self._minute(int(now // 60))[action] += 1
        entry = Entry(now, decision)
        self.last.appendleft(entry)
        if action is not Action.ALLOW:
            self.refused.appendleft(entry)
            self._saved[action] += micros(decision.attempt.price or 0.0)

    def alert(self, alert: Alert) -> None:
        """One more alert."""
        self.alerts.appendleft(alert)

    def not_spent(self, *actions: Action) -> float:
        """USD that messages refused by these actions would have cost."""
        return sum(self._saved[action] for action in actions) / 1e6

    def by_minute(self) -> list[tuple[int, Counter[Action]]]:
        """The last hour, oldest first: each minute's beginning in Unix seconds, and its counts."""
        counted = dict(self.minutes)
        now = int(self._clock() // 60)
        return [
            (minute * 60, counted.get(minute, Counter()))
            for minute in range(now - MINUTES + 1, now + 1)
        ]

    def _minute(self, minute: int) -> Counter[Action]:
        if not self.minutes or self.minutes[-1][0] < minute:
            self.minutes.append((minute, Counter()))
        return self.minutes[-1][1]
