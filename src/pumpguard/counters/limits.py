"""Counters that say how much is too much: of hits, of different values, of neighbours; and bans."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pumpguard.decision import Action

Counts = Literal["attempts", "admissions"]
"""``attempts`` counts every request (a signal), ``admissions`` only what was let through (what
limits bind on)."""

EXACT_UP_TO = 512
"""Windows with at most this limit keep the exact time of every hit; wider ones keep slices."""

SLICES = 10
"""Slices per window above `EXACT_UP_TO`. All slices that touch the window count in full, so a
window never admits more than its limit and may hold a hit up to a tenth of the window too long."""

DISTINCT_UP_TO = 24
NEIGHBOURS_REMEMBERED = 24


@dataclass(frozen=True, slots=True)
class Window:
    """At most ``limit`` hits in any ``seconds``.

    With ``most`` above 1, the room that the subject has earned (see `Trust`) is added to the limit,
    up to ``most`` times the limit. Its reading's ``detail`` is then the limit that holds now, and
    the room.
    """

    rule: str
    by: str
    limit: int
    seconds: int
    action: Action = Action.THROTTLE
    counts: Counts = "admissions"
    most: int = 1


@dataclass(frozen=True, slots=True)
class Distinct:
    """At most ``limit`` different values of the dimension ``of`` in any ``seconds``."""

    rule: str
    by: str
    limit: int
    seconds: int
    of: str
    action: Action = Action.THROTTLE


@dataclass(frozen=True, slots=True)
class Neighbours:
    """At most ``limit`` other numbers within ``distance`` of this one in any ``seconds``.

    Numbers are compared by their last four digits, so ``by`` is a block of 10,000: ``prefix:4``.
    """

    rule: str
    by: str
    limit: int
    seconds: int
    distance: int
    action: Action = Action.THROTTLE


@dataclass(frozen=True, slots=True)
class Ban:
    """A subject that gathers ``strikes`` in any ``seconds`` is refused until a time.

    What gives a strike is ``fed_by``: the word ``"attempts"`` (every request), or the names of
    rules whose refusals count. The ban lasts ``base × factor^level`` seconds, at most ``cap``,
    spread by ± ``jitter``; the level rises with each ban and falls by one for every ``memory``
    seconds that pass after a ban has ended. Earned room is added to ``strikes``, up to ``most``
    times as many. A refusal that asks for proof gives one only with ``challenges``. With
    ``yields``, it does not stand while its subject has any room.
    """

    rule: str
    by: str
    strikes: int
    seconds: int
    fed_by: Literal["attempts"] | frozenset[str]
    base: int = 600
    factor: float = 5.0
    cap: int = 86_400
    memory: int = 86_400
    jitter: float = 0.2
    action: Action = Action.BLOCK
    most: int = 1
    challenges: bool = False
    yields: bool = False
