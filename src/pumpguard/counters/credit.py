"""Lines of credit: unverified money outstanding, on a line that verified money makes longer.

What a number owes itself is not held against it, up to the price of `AGAIN` messages more: somebody
who gets no code asks again, and that says nothing about the block. The same holds for what this
client owes for the number that it has just asked for (see `Retyped`). On a line that yields, such a
number has half of it instead: of many who want what little is left, whoever has had nothing yet
comes first. Who owes nothing has one message, however dear: a line that is shorter than a price
must not refuse everybody for ever. So no debt ever exceeds ``max(line, price) + AGAIN × price``.

Debts are forgiven in a thousand steps per ``seconds``, at the same instants for everybody: one
that is made just before a step is forgiven its first thousandth early. So in any time T no more
than ``line × (1 + T / seconds + 1/1000)``, and those, of what is admitted stays unverified.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import ClassVar

from pumpguard.counters.base import Limited, Reading, Segment
from pumpguard.decision import Action

STEPS = 1000
AGAIN = 2
LATEST = 4
"""How many times as wide a line that asks is at most where codes are late. No source."""


@dataclass(frozen=True, slots=True)
class Credit(Limited):
    """How many µ$ of messages that nobody has verified a subject may have outstanding.

    The line is the highest of ``limit`` and ``ratio`` times what was verified on the best of the
    last 14 days or today so far (UTC days; today never exceeds the last 24 hours, so this is
    never more than earned), less all debts that had to be forgiven since: who verifies no more
    loses what he has earned as he uses it. Debts are forgiven evenly, a whole line in ``seconds``;
    a verification pays its message back at once, lets the line grow, and pays back ``vouches``
    times its price of what others owe. Whom a line that ``yields`` serves first: see above.

    Beside the line, ``reserved`` times as much is kept for customers, half of that for known
    numbers too unless it yields (see `Known`); and customers may always go two messages beyond, so
    that one fits however short the line. With ``except_trusted`` it speaks against nobody who comes
    from where users verify (see `Trust`): only for lines that ask, because it bounds nothing then.
    Such a line leaves people alone whose provider is to blame: where codes take long
    (``matures_after`` above the 139 s of usual days) it is as many times as wide, up to `LATEST`
    times, and no number that asks again yields; and while verifications have stopped (see `Pulse`)
    it is never full, and nothing is owed on it.

    Its reading's ``used`` is the debt in µ$, its ``detail`` the line and what it grows with, in µ$.
    Source: the shape is Authgear's fraud protection, in messages: max(20, 0.3 × best of 14 days,
    0.3 × last 24 hours) unverified per country and day.
    """

    rule: str
    by: str
    limit: int
    seconds: int
    ratio: float = 0.3
    action: Action = Action.THROTTLE
    yields: bool = False
    reserved: float = 0.0
    vouches: float = 0.0
    except_trusted: bool = False

    told_of: ClassVar[frozenset[str]] = frozenset({"failed", "verified", "repeated"})
    smallest_share: ClassVar[int] = 0
    looks_at_debts: ClassVar[bool] = True

    def full_from(self, reading: Reading, price: int) -> int | None:
        # One that yields is full for a number that owes before it is for others.
        if not reading.used or not reading.detail:
            return None
        return price if reading.used + price > reading.detail[0] else None

    def tail(self, segment: Segment) -> bytes:
        """Whether it yields, and 2 more if it excepts the trusted (1); the share of what was
        verified that makes the line, what is reserved of as much as the line is, and what a
        verification vouches for, in permille (2 each)."""
        shares = (self.ratio, self.reserved, self.vouches)
        flags = self.yields + 2 * self.except_trusted
        return struct.pack(">BHHH", flags, *(round(share * 1000) for share in shares))
