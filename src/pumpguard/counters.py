"""What a rule can ask the store to keep: four kinds of counter, and what comes back.

A rule never talks to a store. It *declares* counters, which say what is counted, per what
(``by``), and up to where; the attempt says whose they are. The guard sends all of them in one trip
and hands each rule its `Reading`s to judge. See ``store/kinds/`` for what each kind does.

Counters do not change from request to request: a rule makes them once and returns the same tuple
every time, so that the guard can prepare the question once as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from pumpguard.decision import Action

Counts = Literal["attempts", "admissions"]
"""``attempts`` counts every request (a signal), ``admissions`` only what was let through (what
limits bind on)."""

EXACT_UP_TO = 10
"""Windows with at most this limit keep the exact time of every hit; wider ones keep slices."""

SLICES = 10
"""Slices per window above `EXACT_UP_TO`. All slices that touch the window count in full, so a
window never admits more than its limit and may hold a hit up to a tenth of the window too long."""

DISTINCT_UP_TO = 24
NEIGHBOURS_REMEMBERED = 24


@dataclass(frozen=True, slots=True)
class Window:
    """At most ``limit`` hits in any ``seconds``."""

    rule: str
    by: str
    limit: int
    seconds: int
    action: Action = Action.THROTTLE
    counts: Counts = "admissions"


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
    seconds that pass after a ban has ended.
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


Counter: TypeAlias = Window | Distinct | Neighbours | Ban


def identity(counter: Counter) -> str:
    """What makes a counter the same counter from request to request, and from deploy to deploy.

    Changing a limit keeps what was counted, unless the new limit is kept in another layout.
    """
    match counter:
        case Window():
            layout = _layout(counter.limit)
        case Ban():
            layout = _layout(counter.strikes)
        case _:
            layout = ""
    return f"{type(counter).__name__} {layout} {counter.seconds} {counter.by} {counter.rule}"


def _layout(limit: int) -> str:
    return "log" if limit <= EXACT_UP_TO else "slices"


@dataclass(frozen=True, slots=True)
class Reading:
    """What the store said about one counter.

    ``used`` is the count before this request (for a ban: its level); ``wait`` the seconds until
    it would let this request pass, 0 when it does now.
    """

    used: int
    wait: float

    @property
    def full(self) -> bool:
        """Whether this counter speaks against the request."""
        return self.wait > 0
