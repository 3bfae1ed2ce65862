"""Room for those whose users verify: offices, carrier NAT with hundreds of people, launch days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from pumpguard.attempt import Attempt
from pumpguard.config import check
from pumpguard.counters import Reading, Trust
from pumpguard.decision import Finding, Mode
from pumpguard.rules.base import require
from pumpguard.rules.limits_notation import check_dimensions


@dataclass(frozen=True, slots=True, kw_only=True)
class EarnedTrust:
    """Remembers who has been verified, for the rules that give room for it (``earned=``).

    It never refuses anything. A policy with such a rule has it on its own accord, for whatever that
    rule is kept ``by``; name it to change what a verification earns: ``gain`` messages, once more
    than ``share`` of what was sent in about the last eight days has been verified. A number counts
    once a day, and what looks bought counts for less, as it does for `Conversion`.

    Sources: at least 60 % of real users enter their codes (IronAuth: 60 to 85 %), and with the
    defaults those need no history; below 35 % Vonage blocks a network, and here nothing is earned.
    """

    by: Sequence[str] = ()
    gain: int = 4
    share: float = 0.35
    name: str = "earned_trust"
    mode: Mode = "enforce"
    declares_by: ClassVar[Sequence[str]] = ()
    needs_verifications: ClassVar[bool] = True
    settles: ClassVar[bool] = True
    _trusts: tuple[Trust, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        path = f"rules.{self.name}"
        check(self, path)
        require(1 <= self.gain <= 100, self.name, "gain", "1 to 100 messages", self.gain)
        require(0 < self.share < 1, self.name, "share", "a share between 0 and 1", self.share)
        names = [check_dimensions(by.split("+"), f"{path}.by.{i}") for i, by in enumerate(self.by)]
        trusts = tuple(Trust(self.name, by, self.gain, self.share) for by in dict.fromkeys(names))
        object.__setattr__(self, "_trusts", trusts)

    @property
    def dimensions(self) -> Sequence[str]:
        """What outcomes have to be told by."""
        return self.by

    def counters(self, attempt: Attempt) -> Sequence[Trust]:
        """What each subject of this attempt has earned."""
        return self._trusts

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        """Nothing, ever."""
        return None
