"""Who has verified before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pumpguard.counters.base import Timed, Turn
from pumpguard.decision import Action


@dataclass(frozen=True, slots=True)
class Known(Timed):
    """Whether this number was verified in the last ``seconds``: ``used`` is 1 or 0. Never full.

    It also remembers when a verification last counted: one per number and 24 hours does.
    """

    rule: str
    seconds: int = 90 * 86_400
    by: str = "phone"
    action: Action = Action.ALLOW

    may_refuse: ClassVar[bool] = False
    turn: ClassVar[Turn] = Turn.FIRST
