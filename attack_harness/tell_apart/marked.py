"""How a session of this experiment gets into its shadow."""

from __future__ import annotations

from collections.abc import Sequence

from pumpguard import Attempt, Finding, Rule
from pumpguard.counters import Reading
from pumpguard.rules.base import ActionName

MARK = "999"
"""How numbers end that are refused; no session asks for one once it is compared."""


class Marked(Rule):
    """Refuses what ends in ``MARK``: a strike of that address in that block of numbers."""

    action: ActionName = "block"

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        return self.finding("MARKED") if attempt.phone.e164.endswith(MARK) else None
