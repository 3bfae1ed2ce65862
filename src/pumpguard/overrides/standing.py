"""What stands beside postures and lists: launches that are announced, and rules that only monitor;
and who has ordered what."""

from __future__ import annotations

from dataclasses import dataclass

from pumpguard.listeners import Change

MOST_TIMES = 100.0
LONGEST = 7 * 86_400
"""Seconds. What lasts longer is no launch: then `daily_budget` is too small; and what is to hold
for longer of a rule belongs into the policy."""

LIFT = "lift"
"""An order that changes no override: a ban was lifted."""

MAX_ORDERS = 200
"""Orders that are remembered; every process reads them when one is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """So many ``times`` as much as usual, which a person has announced: who, when (``at``, Unix
    seconds), why, and until when."""

    times: float
    author: str
    at: float
    until: float
    reason: str = ""

    def in_force(self, now: float) -> bool:
        return now < self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitoring:
    """A rule is judged and recorded and not enforced: by whom, since when (``at``, Unix seconds),
    why, and until when."""

    author: str
    at: float
    until: float
    reason: str = ""

    def in_force(self, now: float) -> bool:
        return now < self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What was changed, by whom, when and why; the fields are those of
    `pumpguard.listeners.Change`. Subjects are masked where they are personal data."""

    what: str
    kind: str
    subject: str
    author: str
    at: float
    reason: str = ""
    value: str = ""
    until: float | None = None

    @classmethod
    def of(cls, change: Change) -> Order:
        return cls(
            what=change.what, kind=change.kind, subject=change.subject, author=change.author,
            at=change.at, reason=change.reason, value=change.value, until=change.until,
        )  # fmt: skip
