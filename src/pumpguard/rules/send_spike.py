"""Three times as many messages as usual: no reason to refuse anybody, and one to look."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Literal

from pumpguard.attempt import Attempt
from pumpguard.counters import Counter, Counts, Reading, Spike
from pumpguard.decision import Finding
from pumpguard.rules.base import Rule, first_full


class SendSpike(Rule):
    """Says that in the last ``seconds`` more than ``ratio`` times the usual was sent, or asked for.

    It refuses nobody: it raises an alert, and escalation may step up (`Policy.escalation`).
    ``watch`` has ``"admissions"``, all that is let through (``SEND_SPIKE``), or ``"attempts"``, all
    that is asked for (``ATTEMPT_SPIKE``), or both: under an attack that is refused, only the latter
    grow. Below ``minimum`` in that time, and in its first day, it says nothing.

    Source: an alert when the volume spikes by more than 200 % in 10 minutes (the common checklist);
    the minimum is ours: at fewer than 50 in ten minutes chance alone makes such spikes.
    """

    ratio: float = 3.0
    minimum: int = 50
    seconds: int = 600
    watch: Sequence[Counts] = ("admissions",)
    action: Literal["allow"] = "allow"
    declares_by = ()

    @cached_property
    def _spikes(self) -> tuple[Spike, ...]:
        self.require(1 <= self.ratio <= 1_000, "ratio", "1 to 1000")
        self.require(0 < self.minimum < 2**32, "minimum", "1 or more, below 2^32")
        divisible = 0 < self.seconds <= 3_600 and self.seconds % 10 == 0
        self.require(divisible, "seconds", "tens of seconds, at most 3600")
        self.require(bool(self.watch), "watch", "admissions, attempts or both")
        return tuple(
            Spike(self.name, "everything", self.ratio, self.minimum, self.seconds, counts)
            for counts in dict.fromkeys(self.watch)
        )

    def counters(self, attempt: Attempt) -> Sequence[Spike]:
        return self._spikes

    def weighs(self, counter: Counter) -> bool:
        return False  # a spike says nothing about the request

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        spike, reading = first_full(self._spikes, readings)
        if spike is None or reading is None:
            return None
        usual = reading.detail[0] / 1000 if reading.detail else None
        evidence = {"count": reading.used, "usual": usual, "seconds": self.seconds}
        code = "SEND_SPIKE" if spike.counts == "admissions" else "ATTEMPT_SPIKE"
        return self.finding(code, evidence, weight=1.0)
