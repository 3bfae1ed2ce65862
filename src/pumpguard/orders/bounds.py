"""What orders do to the bound on what an attacker can make a policy spend."""

from __future__ import annotations

from pumpguard.orders.document import Orders
from pumpguard.orders.posture import EVERYWHERE, Posture


def unbounding(orders: Orders, now: float) -> list[str]:
    """Why nothing bounds the spending while these orders stand, in words; empty if it is bounded.

    Everything else that can be ordered only makes it less: what allowed ones spend without being
    let off budgets is within them.
    """
    found = []
    if orders.fleet(now) is Posture.OBSERVE:
        strict = [country for country in orders.postures if country != EVERYWHERE]
        but = f", but for {', '.join(sorted(strict))}" if strict else ""
        found.append(f"The posture is observe: nothing is enforced{but}.")
    for each in orders.listings:
        if each.spends_freely and each.stands(now):
            found.append(f"{each.kind} {each.shown} spends freely, by order of {each.author}.")
    return found
