"""What a subject has earned by being verified.

The headroom is ``gain`` × (verified - ``share`` × sent) messages, and never below none. It is
gone as soon as less than that share of what was sent was verified: whoever verifies numbers of his
own for it gets at most (1 - share) / share = 1.9 messages for each, beside what everybody has,
however he goes about it. A message that is still on its way counts as one that nobody verifies.

With the defaults, subjects of which 60 % or more is verified (``share + 1 / gain``) earn their
headroom as fast as they use it: a crowd behind one address needs no history. Sources: 35 % is where
Vonage blocks a network; 60 to 85 % is healthy (IronAuth).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import ClassVar

from pumpguard.counters.base import OF_ONE_CLIENT, Counter, Segment, Turn
from pumpguard.decision import Action

CLIENTS = OF_ONE_CLIENT | {"asn", "client_country"}
"""Of such a subject it says nothing that many verifications come from one network."""


@dataclass(frozen=True, slots=True)
class Trust(Counter):
    """The headroom of a subject: so many messages more, for every window and ban that is kept
    ``by`` the same and may have some (``max_factor``). Never full.

    How much that is says the top of this module; what was verified and what was sent are sums that
    lose an eighth a day. A subject of one client (an address, a session) that has any speaks for
    requests that carry proof (see `Known`). Its reading's ``used`` is the headroom in messages, its
    ``detail`` how many were verified and sent. ``granted``: as if it had earned all that there is.
    """

    rule: str
    by: str
    gain: int = 4
    share: float = 0.35
    granted: bool = False
    action: Action = Action.ALLOW

    may_refuse: ClassVar[bool] = False
    turn: ClassVar[Turn] = Turn.BEFORE_ITS_SUBJECT
    told_of: ClassVar[frozenset[str]] = frozenset({"failed", "verified", "repeated"})

    @property
    def limit_on_the_wire(self) -> int:
        return self.gain

    def tail(self, segment: Segment) -> bytes:
        """The share in permille (2), whether its subjects are clients (1), whether they are single
        ones (1), whether all is granted (1)."""
        clients = not CLIENTS.isdisjoint(self.by.split("+"))
        flags = clients, self.by in OF_ONE_CLIENT, self.granted
        return struct.pack(">HBBB", round(self.share * 1000), *flags)


def granted(counters: Iterable[Counter]) -> tuple[Counter, ...]:
    """The counters, with all the headroom that can be earned: while nobody can earn any."""
    return tuple(replace(c, granted=True) if isinstance(c, Trust) else c for c in counters)
