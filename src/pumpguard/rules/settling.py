"""Keeps what is needed to tell, later, what became of a message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from pumpguard.attempt import PREFIX, Attempt
from pumpguard.config import check
from pumpguard.counters import Known, Reading, Tickets
from pumpguard.decision import Finding, Mode
from pumpguard.rules.base import require

DAY = 86_400

FOLLOWS_FROM_THE_NUMBER = frozenset({"phone", "country", "calling_code", "everything"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settling:
    """Remembers messages that wait for their outcome, and numbers that have verified.

    It never refuses anything. A policy with a rule about money or verifications has it on its own
    accord; name it to change for how long tickets stay open (``seconds``) or a number stays known
    (``known_days``). The policy says what outcomes have to be told by (``remembers``), and whether
    verifications are heard of at all.
    """

    seconds: int = DAY
    known_days: int = 90
    remembers: Sequence[str] = ()
    verified: bool = True
    name: str = "settling"
    mode: Mode = "enforce"
    declares_by: ClassVar[Sequence[str]] = ()
    known: Known = field(init=False, repr=False)
    tickets: Tickets = field(init=False, repr=False)
    _counters: tuple[Known | Tickets, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        check(self, f"rules.{self.name}")
        require(self.seconds > 0, self.name, "seconds", "at least 1", self.seconds)
        require(0 < self.known_days <= 365, self.name, "known_days", "1 to 365", self.known_days)
        object.__setattr__(self, "known", Known(self.name, self.known_days * DAY))
        tickets = Tickets(self.name, self.seconds, remembers=tuple(self.remembers))
        object.__setattr__(self, "tickets", tickets)
        object.__setattr__(
            self, "_counters", (self.known, tickets) if self.verified else (tickets,)
        )

    def counters(self, attempt: Attempt) -> Sequence[Known | Tickets]:
        """Whether the number is known, and its open tickets."""
        return self._counters

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        """Nothing, ever."""
        return None


def follows_from_the_number(by: str) -> bool:
    """Whether a subject is known from the phone alone."""
    return all(part in FOLLOWS_FROM_THE_NUMBER or part.startswith(PREFIX) for part in by.split("+"))
