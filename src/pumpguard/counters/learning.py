"""Counters that learn what is usual, from traffic and from verifications."""

from __future__ import annotations

from dataclasses import dataclass

from pumpguard.counters.limits import Counts
from pumpguard.decision import Action


@dataclass(frozen=True, slots=True)
class Conversion:
    """Whether the messages sent to a subject get verified, as a CUSUM over matured sends.

    Every send that is still unverified when it is old enough (the question's ``matures_after``, at
    most ``seconds``) adds ``ln((1 - p1) / (1 - p0))``, every verified one takes ``ln(p0 / p1)``
    times its worth away, never below 0. At ``h`` nats, and at least ``minimum`` matured sends, it
    is full for ``hold`` seconds and starts anew. What a verification is worth, and what was
    measured with these defaults, is in ``store/kinds/conversion.lua``.

    Its reading's ``used`` is the sum in thousandths of a nat, its ``detail`` how many sends have
    matured and how many of them were verified (both halved from time to time).
    """

    rule: str
    by: str
    p0: float = 0.5
    p1: float = 0.05
    h: float = 12.8
    minimum: int = 20
    seconds: int = 600
    hold: int = 1_800
    action: Action = Action.BLOCK


@dataclass(frozen=True, slots=True)
class Pulse:
    """Whether verifications arrive at all: a CUSUM for a drop of their rate to nearly none.

    It is full while they do not, which is nobody's attack but the provider's (or the app's)
    outage: from ``2 × h`` nats until it is below ``h`` again. From ``h`` on, and before ``minimum``
    verifications were seen at all, no `Conversion` of the same question is full, and sends that
    mature count neither way. It never refuses.

    Its reading's ``detail`` is the verifications seen (at most 65,535) and the Unix time in ms at
    which the outage began (0 if there is none); the latter names the outage, for who tells each
    of them once.
    """

    rule: str
    by: str = "everything"
    h: float = 9.0
    minimum: int = 20
    action: Action = Action.ALLOW


@dataclass(frozen=True, slots=True)
class Spike:
    """Whether there is far more of something than usual: at least ``minimum`` hits in the last
    ``seconds``, and more than ``ratio`` times what is usual in that time, by the last two days.

    It is full meanwhile, never refuses, and goes on counting. Within the first day nothing is.
    Its reading's ``detail`` is what is usual, in thousandths, and how many hours (at most 65,535)
    that is known from.
    """

    rule: str
    by: str = "everything"
    ratio: float = 3.0
    minimum: int = 50
    seconds: int = 600
    counts: Counts = "admissions"
    action: Action = Action.ALLOW


@dataclass(frozen=True, slots=True)
class Trust:
    """What a subject has earned: so many messages more, for every window that is kept ``by`` the
    same and has room (``most``). Never full.

    ``gain`` messages for each that was verified, less ``share`` of all that were sent; both are
    sums that lose an eighth a day. So a subject of which less than ``share`` is verified has none,
    and from ``share + 1 / gain`` on it needs no other limit than ``most``.

    Its reading's ``used`` is the room in messages, its ``detail`` how many were verified and sent.
    """

    rule: str
    by: str
    gain: int = 4
    share: float = 0.35
    action: Action = Action.ALLOW
