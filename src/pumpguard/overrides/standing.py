"""Rules that only monitor for a while, who has ordered what, and what that means for the bound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pumpguard.decision import Mode
from pumpguard.listeners import Change
from pumpguard.overrides.posture import EVERYWHERE, Posture

if TYPE_CHECKING:
    from pumpguard.overrides.document import OverrideDocument

LIFT = "lift"
"""An order that changes no override: a ban was lifted."""

MAX_ORDERS = 200
"""Orders that are remembered; every process reads them when one is given."""


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


def unbounded_because(document: OverrideDocument, now: float, mode: Mode = "enforce") -> list[str]:
    """Why nothing bounds the spending while these overrides are in force, under a policy of this
    ``mode``, a sentence each; empty if it is bounded.

    What is expected raises the bound (`pumpguard.money.exposure.exposure`). All other overrides
    only reduce what can be spent: what allowed subjects spend within budgets is part of the bound.
    """
    reasons = []
    if mode == "monitor" and document.fleet(now) is Posture.NORMAL:
        reasons.append("The policy's mode is monitor: nothing is enforced.")
    if document.fleet(now) is Posture.OBSERVE:
        strict = [country for country in document.postures if country != EVERYWHERE]
        but = f", but for {', '.join(sorted(strict))}" if strict else ""
        reasons.append(f"The posture is observe: nothing is enforced{but}.")
    for each in document.listings:
        if each.spends_freely and each.in_force(now):
            reasons.append(f"{each.kind} {each.shown} spends freely, set by {each.author}.")
    for rule, order in sorted(document.monitored.items()):
        if order.in_force(now):
            reasons.append(f"The rule {rule} only monitors, by {order.author}: it bounds nothing.")
    return reasons
