"""What the page shows, gathered from the guard, its orders, and what this process has seen."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any

from pumpguard.decision import Action
from pumpguard.errors import OrdersError, StoreError
from pumpguard.guard import Guard
from pumpguard.money.exposure import Exposure, exposure
from pumpguard.ops.console.chart import chart
from pumpguard.ops.console.discreet import HIDDEN, discreet, listed
from pumpguard.ops.console.later import Later
from pumpguard.ops.console.orders import LASTING
from pumpguard.ops.console.seen import Seen
from pumpguard.ops.masking import masked
from pumpguard.orders.bounds import unbounding
from pumpguard.orders.document import Orders
from pumpguard.orders.lists import KINDS
from pumpguard.orders.posture import EVERYWHERE, Posture
from pumpguard.store.health import Concern

COUNTRIES = 8
"""Rows of the tables by country and by rule."""

LOOK_AGAIN = 60.0
"""Seconds for which what was found about the store is shown."""

DIGITS = re.compile("[0-9]{5,}")

FOREVER = 1e9
"""A policy does not change, and neither does its bound."""

SILENT = "The store does not answer: what is ordered is not known here."
UNREADABLE = (
    "The orders cannot be read, perhaps because a newer release has written them. "
    "To begin anew: pumpguard posture closed --anew"
)

REFUSING = (Action.THROTTLE, Action.BLOCK, Action.SHADOW)


class View:
    """Ready for the templates. ``alone`` says that this process judges no requests."""

    def __init__(self, guard: Guard, seen: Seen, *, alone: bool) -> None:
        self.guard = guard
        self.seen = seen
        self.alone = alone
        self.exposure: Later[Exposure] = Later(self._expose, FOREVER)
        self.concerns: Later[tuple[Concern, ...]] = Later(guard.check, LOOK_AGAIN)

    async def values(self) -> dict[str, Any]:
        """Everything, as it is now."""
        now = self.guard.orders.now()
        try:
            standing = self._orders(await self.guard.orders.show(), now)
        except StoreError:
            standing = {"orders": None, "unknown": SILENT}
        except OrdersError as error:
            standing = {"orders": None, "unknown": f"{UNREADABLE} ({error.path})"}
        return {
            "policy": self.guard.policy,
            "alone": self.alone,
            "now": now,
            "kinds": KINDS,
            "durations": {name: words for name, (words, _) in LASTING.items()},
            "choices": self._choices(),
            "exposure": self.exposure.look(),
            "concerns": self.concerns.look(),
            **standing,
            **self._traffic(),
        }

    def _orders(self, orders: Orders, now: float) -> dict[str, Any]:
        order = orders.postures.get(EVERYWHERE)
        listings = sorted(orders.listings, key=lambda each: (each.verdict, each.kind, each.shown))
        return {
            "orders": orders,
            "unknown": None,
            "lifted": [discreet(why) for why in unbounding(orders, now)],
            "fleet": str(orders.fleet(now)),
            "order": order,
            "held": orders.held(now),
            "step": None if orders.held(now) else orders.step,
            "countries": [
                (country, str(orders.posture(country, now)), order)
                for country, order in sorted(orders.postures.items())
                if country != EVERYWHERE and order.standing(now) is not None
            ],
            "listings": [(each, listed(each)) for each in listings],
        }

    def _choices(self) -> Mapping[str, str]:
        """Every posture, and what to know before it is chosen."""
        no_proof = ""
        if self.alone:
            no_proof = " An app without challenge= lets nobody through."
        elif self.guard.challenge is None:
            no_proof = " This app has no challenge=, so nobody gets through."
        knows = "" if self.guard.policy.verified else (
            " This policy hears of no verifications, so it knows nobody."
        )  # fmt: skip
        return {
            str(Posture.OBSERVE): "Judges and records, enforces nothing, budgets neither: "
            "nothing bounds what is spent.",
            str(Posture.NORMAL): "The policy as it is written. Ends an order, and what the ladder "
            "has done.",
            str(Posture.CHALLENGE_ALL): f"Everybody is asked for proof.{no_proof}",
            str(Posture.KNOWN_ONLY): f"Only numbers that have verified before.{knows}",
            str(Posture.CLOSED): "Nobody gets a message: the kill switch.",
        }

    def _traffic(self) -> dict[str, Any]:
        seen, counts = self.seen, self.seen.metrics.snapshot()
        return {
            "since": seen.since,
            "total": counts["total_requests"],
            "degraded": counts["degraded"],
            "actions": _counted(counts["by_action"], [str(action) for action in Action]),
            "rules": _most(counts["by_rule"]),
            "destinations": _most(counts["requests_by_destination"]),
            "origins": _most(counts["requests_by_country"]),
            "not_spent": seen.not_spent(*REFUSING),
            "not_spent_shadow": seen.not_spent(Action.SHADOW),
            "not_spent_challenge": seen.not_spent(Action.CHALLENGE),
            "chart": chart(seen.by_minute()),
            "refused": seen.refused,
            "last": seen.last,
            "alerts": [
                (alert, masked(alert.subject), _evidence(alert.evidence)) for alert in seen.alerts
            ],
        }

    async def _expose(self) -> Exposure:
        return await asyncio.to_thread(exposure, self.guard.policy)


def _counted(counts: object, names: list[str]) -> list[tuple[str, int]]:
    assert isinstance(counts, dict)  # noqa: S101 - as FirewallMetrics says
    return [(name, counts.get(name, 0)) for name in names]


def _most(counts: object) -> list[tuple[str, int]]:
    """The largest, and what the others come to."""
    assert isinstance(counts, dict)  # noqa: S101
    rows = list(counts.items())
    rest = sum(count for _, count in rows[COUNTRIES:])
    return [*rows[:COUNTRIES], *([("others", rest)] if rest else [])]


def _evidence(evidence: Mapping[str, object]) -> str:
    """Numbers as they are; texts may be somebody's, and an alert does not say whose."""
    return ", ".join(
        f"{name}={DIGITS.sub(HIDDEN, discreet(said)) if isinstance(said, str) else said}"
        for name, said in evidence.items()
    )
