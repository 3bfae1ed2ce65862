"""What a subject has earned by being verified. Twin: ``trust.lua``.

The room is ``gain`` × (verified - ``share`` × sent) messages, and never below none. It is gone as
soon as less than ``share`` of what was sent was verified: whoever verifies numbers of his own for
it gets at most (1 - share) / share = 1.9 messages for each, beside what everybody has, however he
goes about it. A message that is still on its way counts as one that nobody verifies.

With the defaults, subjects of which 60 % or more is verified (``share + 1 / gain``) earn their room
as fast as they use it: a crowd behind one address needs no history. Sources: 35 % is where Vonage
blocks a network; 60 to 85 % is healthy (IronAuth).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from pumpguard.counters import Trust
from pumpguard.store.base import DAY as SECONDS_A_DAY

DAY = SECONDS_A_DAY * 1000
MOST = 2**32 - 1
EARNED_REMEMBERED, SENT_REMEMBERED = 15, 2
"""Days without a message."""

CLIENTS = frozenset({"network", "site", "session", "account", "device", "asn", "client_country"})
"""Of such a subject it says nothing that many verifications come from one network."""


class Kept(NamedTuple):
    """Verified and sent (thousandths), and the day of the last message."""

    verified: int
    sent: int
    day: int


@dataclass(slots=True)
class TrustLook:
    """What one request, or one outcome, sees of a subject's trust."""

    counter: Trust
    now: int
    kept: Kept
    silent: bool
    wait: int = 0

    @property
    def used(self) -> int:
        """The room in messages."""
        net = max(0, self.kept.verified - self.kept.sent * permille(self.counter) // 1000)
        return self.counter.gain * net // 1000

    @property
    def detail(self) -> tuple[int, int]:
        """Verified and sent, in messages."""
        return self.kept.verified // 1000, self.kept.sent // 1000

    def charged(self) -> tuple[Kept, int] | None:
        """One more message; while no verifications arrive at all, none is held against anybody."""
        if self.silent:
            return None
        return self._kept(self.kept.verified, self.kept.sent + 1000)

    def earned(self, worth: int) -> tuple[Kept, int]:
        """The message was verified, which is worth so many thousandths."""
        return self._kept(self.kept.verified + worth, self.kept.sent)

    def taken_back(self) -> tuple[Kept, int]:
        """As if the message had never been."""
        return self._kept(self.kept.verified, self.kept.sent - 1000)

    def _kept(self, verified: int, sent: int) -> tuple[Kept, int]:
        kept = Kept(min(MOST, verified), max(0, min(MOST, sent)), self.kept.day)
        return kept, (self.kept.day + remembered(kept.verified)) * DAY


def remembered(verified: int) -> int:
    """Days without a message for which it is remembered."""
    return EARNED_REMEMBERED if verified else SENT_REMEMBERED


def permille(counter: Trust) -> int:
    """The share of what was sent that has to be verified before anything is earned."""
    return round(counter.share * 1000)


def of_clients(counter: Trust) -> bool:
    """Whether its subjects are clients, rather than destinations."""
    return not CLIENTS.isdisjoint(counter.by.split("+"))


def look(counter: Trust, stored: Kept | None, now: int, silent: bool) -> TrustLook:
    """Read what a subject has earned."""
    verified, sent, day = stored or (0, 0, now // DAY)
    today = max(day, now // DAY)
    if today - day >= remembered(verified):
        verified = sent = 0
    else:
        for _ in range(today - day):
            verified, sent = verified * 7 // 8, sent * 7 // 8
    return TrustLook(counter, now, Kept(verified, sent, today), silent)
