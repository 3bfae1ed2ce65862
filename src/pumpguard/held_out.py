"""The second decision about an attempt that was refused and belongs to the hold-out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from pumpguard.attempt import Attempt
from pumpguard.decision import Action, Decision, Finding
from pumpguard.engine.decide import Engine
from pumpguard.overrides.lists import keyed_hash
from pumpguard.rules.budget import DAY
from pumpguard.rules.hold_out import HELD_OUT, RULE


class HeldOut:
    """Decides again about what was refused, by an engine whose rules only monitor, but for what
    bounds the hold-out. ``drawn`` says whether an attempt belongs to it."""

    def __init__(self, engine: Engine, drawn: Callable[[Attempt], bool]) -> None:
        self._engine = engine
        self.drawn = drawn

    async def decide(self, attempt: Attempt, deciding: Awaitable[Decision]) -> Decision:
        """The decision; of a refusal that is held out, one that allows and shows its findings."""
        decision = await deciding
        refused = decision.action > Action.CHALLENGE and not decision.degraded
        if not refused or not self.drawn(attempt):
            return decision
        again = await self._engine.decide(attempt)
        if not again.allowed or again.degraded:
            return decision
        findings = tuple(map(_monitored, decision.findings))
        return replace(again, findings=findings, allowed_because=HELD_OUT)


def drawn(share: float, secret: str) -> Callable[[Attempt], bool]:
    """Draws this share of all numbers anew each day, by a hash that nobody can foretell who has not
    the ``secret``."""
    hashed, most = keyed_hash(secret), share * 2**32

    def is_drawn(attempt: Attempt) -> bool:
        today = f"{attempt.at // DAY:.0f} {attempt.phone.e164}"
        return int(hashed(RULE, today)[:8], 16) < most

    return is_drawn


def _monitored(finding: Finding) -> Finding:
    return replace(finding, mode="monitor")
