"""Who has verified before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pumpguard.counters.base import Segment, Timed, Turn
from pumpguard.decision import Action


@dataclass(frozen=True, slots=True)
class Known(Timed):
    """Whether this number was verified in the last ``seconds``: ``used`` is 1 or 0. Never full.

    It also remembers when a verification last counted (one per number and 24 hours does), and the
    last twelve addresses, sessions and the like from which it was verified: of what a ticket
    remembers, the first ``clients`` dimensions. Anybody can name a known number. A *customer* is
    one that asks from there, or with proof from where users verify (see `Trust`); where nothing of
    the kind is remembered, every known number is one.

    What limits keep back (``reserved``) is open to customers; half of it to other known numbers,
    and to strangers with proof from where users verify.
    """

    rule: str
    seconds: int = 90 * 86_400
    clients: int = 0
    by: str = "phone"
    action: Action = Action.ALLOW

    may_refuse: ClassVar[bool] = False
    turn: ClassVar[Turn] = Turn.FIRST
    sets_apart: ClassVar[bool] = True

    def tail(self, segment: Segment) -> bytes:
        """How many key hashes of a ticket tell where its request came from (1)."""
        return bytes([self.clients])
