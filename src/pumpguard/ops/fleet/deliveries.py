"""What providers have reported of messages, by country and carrier: how many arrived, how soon."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from pumpguard.ops.fleet.period import Period

MOST = 30
"""Rows of the table."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """Messages to a country by a carrier, which is empty where no receipt named one. ``failed`` was
    never sent, ``unallocated`` belongs to nobody. ``seconds`` is the mean time to delivery."""

    country: str
    carrier: str
    delivered: int
    undelivered: int
    failed: int
    unallocated: int
    seconds: float | None

    @property
    def messages(self) -> int:
        """All that something was reported of; one that was reported of twice counts twice."""
        return self.delivered + self.undelivered + self.failed + self.unallocated

    def to_json(self) -> dict[str, Any]:
        return {
            "country": self.country, "carrier": self.carrier or None,
            "delivered": self.delivered, "undelivered": self.undelivered, "failed": self.failed,
            "unallocated": self.unallocated, "seconds_to_delivery": self.seconds,
        }  # fmt: skip


def deliveries(seen: Period) -> list[Delivery]:
    """All of a period, those with the most messages first."""
    found = [_delivery(*where, words) for where, words in seen.deliveries.items()]
    return sorted(found, key=lambda each: (-each.messages, each.country, each.carrier))


def _delivery(country: str, carrier: str, words: Counter[str]) -> Delivery:
    delivered = words["delivered"]
    return Delivery(
        country, carrier, delivered, words["undelivered"], words["failed"], words["unallocated"],
        round(words["ms"] / delivered / 1_000, 1) if delivered else None,
    )  # fmt: skip
