"""Three times as many messages as usual: nobody's fault to be refused for, and a reason to look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from pumpguard.attempt import Attempt
from pumpguard.config import check
from pumpguard.counters import Counter, Counts, Reading, Spike
from pumpguard.decision import Action, Finding, Mode
from pumpguard.rules.base import require


@dataclass(frozen=True, slots=True, kw_only=True)
class SendSpike:
    """Says that in the last ``seconds`` more than ``ratio`` times the usual was sent, or asked for.

    It refuses nobody: it raises an alert, and escalation may step up (`Policy.escalation`).
    What it watches are ``"admissions"``, all that is let through (``SEND_SPIKE``), and
    ``"attempts"``, all that is asked for (``ATTEMPT_SPIKE``): under an attack that is refused, only
    the latter grow. Below ``minimum`` in that time, and in its first day, it says nothing.

    Source: an alert when the volume spikes by more than 200 % in 10 minutes (the common checklist);
    the minimum is ours: at fewer than 50 in ten minutes chance alone makes such spikes.
    """

    ratio: float = 3.0
    minimum: int = 50
    seconds: int = 600
    watch: Sequence[Counts] = ("admissions",)
    name: str = "send_spike"
    mode: Mode = "enforce"
    declares_by: ClassVar[Sequence[str]] = ()
    _spikes: tuple[Spike, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        check(self, f"rules.{self.name}")
        require(1 <= self.ratio <= 1_000, self.name, "ratio", "1 to 1000", self.ratio)
        require(0 < self.minimum < 2**32, self.name, "minimum", "at least 1", self.minimum)
        divisible = 0 < self.seconds <= 3_600 and self.seconds % 10 == 0
        require(divisible, self.name, "seconds", "tens of seconds, at most 3600", self.seconds)
        require(bool(self.watch), self.name, "watch", "admissions, attempts or both", self.watch)
        spikes = [
            Spike(self.name, "everything", self.ratio, self.minimum, self.seconds, counts)
            for counts in dict.fromkeys(self.watch)
        ]
        object.__setattr__(self, "_spikes", tuple(spikes))

    def counters(self, attempt: Attempt) -> Sequence[Spike]:
        """What is let through, and what is asked for."""
        return self._spikes

    def weighs(self, counter: Counter) -> bool:
        """Nothing: it says nothing about the request."""
        return False

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        """A finding that changes nothing while there is a spike; of messages before attempts."""
        for spike, reading in zip(self._spikes, readings, strict=False):
            if reading.full:
                usual = reading.detail[0] / 1000 if reading.detail else None
                evidence = {"count": reading.used, "usual": usual, "seconds": self.seconds}
                code = "SEND_SPIKE" if spike.counts == "admissions" else "ATTEMPT_SPIKE"
                return Finding(self.name, Action.ALLOW, code, evidence, mode=self.mode)
        return None
