"""Each rule today: its mode, what it refused, what it alone refused, and how often it was wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pumpguard.decision import Mode
from pumpguard.ops.fleet.desk import Desk
from pumpguard.ops.fleet.period import MILLION
from pumpguard.ops.fleet.view import FleetView
from pumpguard.overrides.document import OverrideDocument
from pumpguard.rules import Rule, SlidingBan


@dataclass(frozen=True, slots=True)
class RuleToday:
    """A rule in the last 24 hours. ``refused`` counts requests that it decided, ``alone`` those
    that nothing else would have refused (``None`` where the other rules are not asked: behind a
    ban, a posture, a list), ``monitored`` those that it only recorded. Of ``sampled``
    refused numbers ``verified`` were verified within three hours. ``until`` and ``author`` are
    those of an order to monitor."""

    name: str
    mode: Mode
    refused: int
    usd: float
    alone: int | None
    monitored: int
    sampled: int
    verified: int
    until: float | None = None
    author: str = ""
    reason: str = ""

    @property
    def busy(self) -> bool:
        """Whether there is anything to say of it."""
        return bool(self.refused or self.monitored or self.sampled or self.until)

    @property
    def verified_later(self) -> float | None:
        """The share of those it refused who were verified later, so that it was perhaps wrong."""
        return self.verified / self.sampled if self.sampled else None

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "verified_later": self.verified_later}


async def rules_today(desk: Desk) -> list[RuleToday]:
    """Every rule of a policy. Raises `StoreError`."""
    view, document = await desk.reader.look(), await desk.guard.overrides.show()
    return today(desk.chain, view, document)


def today(chain: Sequence[Rule], view: FleetView, document: OverrideDocument) -> list[RuleToday]:
    """Every rule of a chain, in its order, then what refuses beside them, such as the posture."""
    modes: dict[str, Mode] = {rule.name: rule.mode for rule in chain}
    asks_others = {rule.name for rule in chain if not isinstance(rule, SlidingBan)}
    others: dict[str, Mode] = dict.fromkeys(sorted(view.day.rules.keys() - modes), "enforce")
    found = []
    for name, mode in {**modes, **others}.items():
        order = document.monitored.get(name)
        seen: Counter[str] = view.day.rules.get(name, Counter())
        found.append(
            RuleToday(
                name,
                mode if order is None else "monitor",
                *(seen["refused"], seen["u"] / MILLION),
                *(seen["alone"] if name in asks_others else None, seen["monitored"]),
                *(seen["sampled"], seen["verified"]),
                *(() if order is None else (order.until, order.author, order.reason)),
            )
        )
    return found
