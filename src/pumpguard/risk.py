"""The risk score: findings that refuse nothing alone may refuse together."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Literal

from pumpguard.config import check, require
from pumpguard.decision import Action, Finding, Mode, met
from pumpguard.rules.base import ActionName, action_of

Level = Literal["low", "medium", "high"]

RULE = "risk"
"""What findings and metrics call the score."""

MEDIUM, HIGH = "RISK_MEDIUM", "RISK_HIGH"
"""The reason codes of its findings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """Acts on the product of the weights of all findings, those of monitored rules included.

    Scores below ``medium`` are low and let through; from there on, and from ``high`` on, a request
    meets the action of its level. A rule that shall only weigh has ``action="allow"``, or the mode
    ``monitor``.

    The store knows the weights and applies the score in the trip that counts, so what the score
    refuses was charged nowhere. Its refusals give no strikes: only a rule's do.

    Sources: levels and bounds of ``achrafsouk/sms-pumping`` (below 1.25 low, below 2 medium), which
    multiplies weights from 1.25 (another country) to 2 (velocity, bots).
    """

    medium: float = 1.25
    high: float = 2.0
    on_medium: ActionName = "challenge"
    on_high: ActionName = "block"
    mode: Mode = "enforce"

    def __post_init__(self) -> None:
        check(self, RULE)
        # A request without findings scores 1, and must stay low.
        require(1 < self.medium < inf, "risk.medium", "a score above 1", self.medium)
        require(self.medium <= self.high < inf, "risk.high", "at least medium", self.high)
        rises = action_of(self.on_medium) <= action_of(self.on_high)
        expected = "an action at least as strict as on_medium"
        require(rises, "risk.on_high", expected, self.on_high)

    @property
    def asks_for_proof(self) -> bool:
        """Whether the score may put a challenge to the client."""
        return self.mode == "enforce" and "challenge" in (self.on_medium, self.on_high)

    def level(self, score: float) -> Level:
        """The level of a score, such as a decision's."""
        if score < self.medium:
            return "low"
        return "medium" if score < self.high else "high"

    def finding(self, score: float, proved: bool, refuse_medium: bool = False) -> Finding | None:
        """The finding that the score is, unless it is low."""
        level = self.level(score)
        if level == "low":
            return None
        evidence = {"score": round(score, 3), "medium": self.medium, "high": self.high}
        code = MEDIUM if level == "medium" else HIGH
        return Finding(
            RULE, self._action(level, proved, refuse_medium), code, evidence, mode=self.mode
        )

    def bound(self, proved: bool, refuse_medium: bool = False) -> float:
        """The score from which on a request is refused."""
        if self.mode == "enforce":
            if not met(self._action("medium", proved, refuse_medium), proved):
                return self.medium
            if not met(self._action("high", proved, refuse_medium), proved):
                return self.high
        return inf

    def _action(self, level: Level, proved: bool, refuse_medium: bool) -> Action:
        if level == "high":
            return action_of(self.on_high)
        action = action_of(self.on_medium)
        return Action.THROTTLE if refuse_medium and met(action, proved) else action
