"""Headroom for those whose users verify: offices, carrier NAT with hundreds of people, launches."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Literal

from pumpguard.attempt import Attempt
from pumpguard.counters import Reading, Trust
from pumpguard.decision import Finding
from pumpguard.rules.base import Rule
from pumpguard.rules.limits_notation import check_dimensions


class EarnedTrust(Rule):
    """Remembers whose users have verified, for the rules that give headroom for it (``earned=``).

    It never refuses anything. A policy with such a rule adds it automatically, for the dimensions
    that rule is kept ``by``; name it to change what a verification earns: ``gain`` messages, once
    more than ``share`` of what was sent in about the last eight days has been verified. A number
    counts once a day, and what looks bought counts for less, as it does for `Conversion`.

    Sources: at least 60 % of real users enter their codes (IronAuth: 60 to 85 %), and with the
    defaults those need no history; below 35 % Vonage blocks a network, and here nothing is earned.
    """

    by: Sequence[str] = ()
    gain: int = 4
    share: float = 0.35
    action: Literal["allow"] = "allow"
    declares_by = ()
    needs_verifications = True
    needs_outcomes = True

    @cached_property
    def _trusts(self) -> tuple[Trust, ...]:
        path = f"rules.{self.name}"
        self.require(1 <= self.gain <= 100, "gain", "1 to 100 messages")
        self.require(0 < self.share < 1, "share", "a share between 0 and 1")
        names = [check_dimensions(by.split("+"), f"{path}.by.{i}") for i, by in enumerate(self.by)]
        return tuple(Trust(self.name, by, self.gain, self.share) for by in dict.fromkeys(names))

    @property
    def outcome_dimensions(self) -> Sequence[str]:
        """All that trust is kept by."""
        return self.by

    def counters(self, attempt: Attempt) -> Sequence[Trust]:
        """What each subject of this attempt has earned."""
        return self._trusts

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        """Nothing: other rules use what is remembered."""
        return None
