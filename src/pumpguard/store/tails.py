"""What the scripts are told of each kind of counter beside its limit and its span."""

from __future__ import annotations

import math
import struct
from functools import cache

from pumpguard.attempt import PREFIX
from pumpguard.counters import (
    Conversion,
    Counter,
    Credit,
    Neighbours,
    Pulse,
    Spend,
    Spike,
    Tickets,
    Trust,
    Window,
)

HASH = 10
"""Bytes of a key hash."""

FIXED, LONGEST_SEGMENT = 16, 255
"""Bytes of a ticket without its key hashes: id, time and price; and of all tickets of a number."""

LATEST = 65_535
"""Tenths of a second; who verifies later counts as if by then."""

NETWORKS = frozenset({"network", "site", "session", "account", "device"})
CLIENTS = NETWORKS | {"asn", "client_country"}
"""Of such a subject it says nothing that many verifications come from one network."""


def tail(counter: Counter) -> bytes:
    """What a kind needs in a plan beside limit and span; see ``plan.lua``."""
    match counter:
        case Window(most=most) if most > 1:
            return bytes([most])
        case Trust():
            return struct.pack(">HB", round(1000 * counter.share), of_clients(counter))
        case Neighbours():
            return struct.pack(">H", counter.distance)
        case Spend():
            return six(counter.reserved)
        case Credit():
            return struct.pack(">HH", counter.yields, round(1000 * counter.ratio))
        case Conversion():
            walk = struct.pack(">IIII", *steps(counter), counter.minimum)
            weighed = bytes([tells_networks_apart(counter), near(counter)])
            return walk + six(counter.hold * 1000) + weighed
        case Pulse():
            return struct.pack(">II", round(1000 * counter.h), counter.minimum)
        case Spike():
            return struct.pack(">I", round(1000 * counter.ratio))
        case Tickets():
            return bytes([tickets_kept(counter), ticket_size(counter)])
    return b""


def six(number: int) -> bytes:
    """A time, a span or money."""
    return number.to_bytes(6)


@cache
def steps(counter: Conversion) -> tuple[int, int, int]:
    """What an unverified send adds, what a verified one takes, and where the alarm is, in
    milli-nats: Wald's test of p0 against p1."""
    return (
        round(1000 * math.log((1 - counter.p1) / (1 - counter.p0))),
        round(1000 * math.log(counter.p0 / counter.p1)),
        round(1000 * counter.h),
    )


def tenths(age: int) -> int:
    """The age of a verification (ms) in tenths of a second, as far as it is remembered."""
    return max(0, min(LATEST, age // 100))


def tells_networks_apart(counter: Conversion) -> bool:
    """Whether many verifications from one network are remarkable for such a subject."""
    return NETWORKS.isdisjoint(counter.by.split("+"))


@cache
def near(counter: Conversion) -> int:
    """Two places this far apart are not near each other any more. In narrow blocks everybody is
    near somebody: there it takes the next number, and in blocks of 100 nothing is remarkable."""
    parts = counter.by.split("+")
    digits = [int(by.removeprefix(PREFIX)) for by in parts if by.startswith(PREFIX)]
    smallest = min(digits, default=4)
    return 11 if smallest > 3 else 2 if smallest == 3 else 0


def of_clients(counter: Trust) -> bool:
    """Whether its subjects are clients, rather than destinations."""
    return not CLIENTS.isdisjoint(counter.by.split("+"))


def ticket_size(counter: Tickets) -> int:
    """Bytes of one ticket."""
    return FIXED + HASH * len(counter.remembers)


def tickets_kept(counter: Tickets) -> int:
    """How many tickets fit."""
    return min(counter.keep, LONGEST_SEGMENT // ticket_size(counter))
