"""What happened lately in a process, as part of its word: its last decisions and alerts, as events,
what its guard has noticed, and what it has counted of the app.

The words of all processes together are what the console shows of a fleet.
"""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from pumpguard.alerts import Alert
from pumpguard.guard import Guard
from pumpguard.listeners import Recorded
from pumpguard.ops.events.fields import Event, EventMaker
from pumpguard.ops.masking import masked_text

REFUSED, SENT, ALERTS, NOTICED = 20, 10, 20, 10
"""How many of each a process tells: some 30 kB, under attack."""

Said = Mapping[str, Any]
"""What a word says of it; another release's may lack any of it."""


class Notice(NamedTuple):
    """What guards have noticed of the app around them: when last (Unix seconds), and how many
    processes have."""

    at: float
    code: str
    text: str
    processes: int = 1


class Lately:
    """One process's part. Events are made when it speaks: a request costs no more than keeping a
    reference."""

    def __init__(self, guard: Guard) -> None:
        self._maker = EventMaker(guard.policy)
        self._clock, self._notices = guard.overrides.now, guard.notices
        self._observations = guard.observations
        self._new = deque[Recorded](maxlen=REFUSED), deque[Recorded](maxlen=SENT)
        self._lines = deque[str](maxlen=REFUSED), deque[str](maxlen=SENT)
        self._alerts = deque[str](maxlen=ALERTS)

    def decided(self, recorded: Recorded) -> None:
        self._new[not recorded.decision.action].append(recorded)

    def alerted(self, alert: Alert) -> None:
        self._alerts.append(self._maker.line(alert).decode())

    def leave(self) -> None:
        """The process ends: what is left of it is its alerts."""
        for kept in (*self._new, *self._lines):
            kept.clear()

    def said(self) -> str:
        """Fields of a JSON object, none of which names a person."""
        for new, lines in zip(self._new, self._lines, strict=True):
            while new:
                lines.append(self._maker.line(new.popleft()).decode())
        refused, sent = self._lines
        told = (("refused", refused), ("sent", sent), ("alerts", self._alerts))
        events = [f'"{name}":[{",".join(lines)}]' for name, lines in told]
        now = self._clock()
        noticed = [
            (round(now - ago), notice.code, masked_text(notice.text))
            for ago, notice in self._notices.latest(NOTICED)
        ]
        rest = {"noticed": noticed, "observed": self._observations.snapshot()}
        return f"{','.join(events)},{json.dumps(rest, separators=(',', ':'))[1:-1]}"


def newest(said: Iterable[Said], *names: str) -> list[Event]:
    """The events of some kinds in all words, the newest first."""
    found = [event for each in said for name in names for event in each.get(name, ())]
    return sorted(found, key=lambda event: str(event["@timestamp"]))[::-1]


def noticed(said: Iterable[Said]) -> list[Notice]:
    """What guards have noticed, each once, the newest first."""
    found: dict[tuple[str, str], Notice] = {}
    for each in said:
        for at, code, text in each.get("noticed", ()):
            before = found.get((code, text), Notice(at, code, text, 0))
            found[code, text] = Notice(max(at, before.at), code, text, before.processes + 1)
    return sorted(found.values(), reverse=True)


def observed(said: Sequence[Said]) -> list[tuple[str, int]]:
    """What guards have counted of the app around them, added up."""
    counts: Counter[str] = Counter()
    for each in said:
        for name, count in each.get("observed", {}).items():
            if isinstance(count, Mapping):
                counts.update({f"{name}: {what}": n for what, n in count.items()})
            elif not isinstance(count, bool):
                counts[name] += count
    return [*counts.items()]
