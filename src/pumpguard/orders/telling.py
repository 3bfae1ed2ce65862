"""Orders as programs read them: the same from the command line and over HTTP."""

from __future__ import annotations

from typing import Any

from pumpguard.orders.document import Orders
from pumpguard.orders.ladder import Step
from pumpguard.orders.lists import Listing
from pumpguard.orders.posture import EVERYWHERE, Order


def as_json(orders: Orders, now: float) -> dict[str, Any]:
    """All that stands at a time. Times are in Unix seconds."""
    return {
        "version": orders.version,
        "posture": str(orders.fleet(now)),
        "order": _order(orders.postures.get(EVERYWHERE)),
        "ladder": _step(orders.step, now),
        "countries": {
            country: {"posture": str(orders.posture(country, now)), "order": _order(order)}
            for country, order in orders.postures.items()
            if country != EVERYWHERE
        },
        "listings": [listing_as_json(each) for each in orders.listings],
    }


def _order(order: Order | None) -> dict[str, Any] | None:
    if order is None:
        return None
    return {
        "posture": str(order.posture), "author": order.author, "at": order.at,
        "reason": order.reason, "until": order.until, "then": str(order.then),
    }  # fmt: skip


def _step(step: Step | None, now: float) -> dict[str, Any] | None:
    if step is None:
        return None
    return {"posture": str(step.standing(now)), "since": step.reached(now), "heard": step.heard,
            "code": step.code}  # fmt: skip


def listing_as_json(listing: Listing) -> dict[str, Any]:
    """One entry, masked."""
    return {
        "verdict": listing.verdict, "kind": listing.kind, "shown": listing.shown,
        "author": listing.author, "at": listing.at, "reason": listing.reason,
        "until": listing.until, "spends_freely": listing.spends_freely,
    }  # fmt: skip
