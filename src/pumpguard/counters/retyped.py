"""What one client owes for the last number that it asked for: people mistype.

The price of a message to a wrong number stays on the line of its block of numbers for hours, and
the right number is mostly in the same block. So the right one may have what the wrong one could:
who gets no code asks again, and goes up to the price of two messages beyond the line (see
`Credit`). Nobody goes further beyond it by that, whatever number he asks for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pumpguard.counters.base import Timed, Turn
from pumpguard.decision import Action


@dataclass(frozen=True, slots=True)
class Retyped(Timed):
    """The price (µ$) of this client's last message, if that went to the same value of ``of`` within
    ``seconds``. Its reading's ``used`` is that; a client has it once and then not until it has
    asked for something else, or ``seconds`` have passed. Never full. What a process knows to be
    full it refuses for most of a second without looking here: nobody types as fast."""

    rule: str
    of: str
    by: str = "network"
    seconds: int = 900
    action: Action = Action.ALLOW

    may_refuse: ClassVar[bool] = False
    turn: ClassVar[Turn] = Turn.FIRST

    @property
    def member(self) -> str:
        return self.of
