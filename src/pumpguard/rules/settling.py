"""Remembers what is needed to record, later, what became of a message."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Literal

from pumpguard.attempt import PREFIX, Attempt
from pumpguard.counters import Known, Reading, Tickets
from pumpguard.decision import Finding
from pumpguard.rules.base import Rule

DAY = 86_400

FOLLOWS_FROM_THE_NUMBER = frozenset({"phone", "country", "calling_code", "everything"})


class Settling(Rule):
    """Remembers messages that wait for their outcome, and numbers that have verified.

    It never refuses anything. A policy with a rule about money or verifications adds it
    automatically; name it to change for how long tickets stay open (``seconds``) or a number stays
    known (``known_days``). The policy sets the dimensions that tickets remember (``remembers``) and
    whether verifications are reported at all (``verified``).
    """

    seconds: int = DAY
    known_days: int = 90
    remembers: Sequence[str] = ()
    verified: bool = True
    action: Literal["allow"] = "allow"
    declares_by = ()

    @cached_property
    def known(self) -> Known:
        """The counter of numbers that have verified."""
        self.require(0 < self.known_days <= 365, "known_days", "1 to 365")
        return Known(self.name, self.known_days * DAY)

    @cached_property
    def tickets(self) -> Tickets:
        """The counter of messages that wait for their outcome."""
        self.require(self.seconds > 0, "seconds", "at least 1")
        return Tickets(self.name, self.seconds, remembers=tuple(self.remembers))

    @cached_property
    def _counters(self) -> tuple[Known | Tickets, ...]:
        return (self.known, self.tickets) if self.verified else (self.tickets,)

    def counters(self, attempt: Attempt) -> Sequence[Known | Tickets]:
        """Whether the number is known, and its open tickets."""
        return self._counters

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        """Nothing: outcomes use what is remembered."""
        return None


def follows_from_the_number(by: str) -> bool:
    """Whether a subject is known from the phone alone."""
    return all(part in FOLLOWS_FROM_THE_NUMBER or part.startswith(PREFIX) for part in by.split("+"))
