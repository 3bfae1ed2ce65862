"""What the overrides say about the bound on spending."""

from __future__ import annotations

from pumpguard.decision import Mode
from pumpguard.overrides.document import OverrideDocument
from pumpguard.overrides.posture import EVERYWHERE, Posture


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
    return reasons
