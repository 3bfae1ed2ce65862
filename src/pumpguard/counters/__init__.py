"""What a rule can ask the store to keep: each kind of counter, and what comes back.

A rule never talks to a store. It *declares* counters, which say what is counted, per what
(``by``), and up to where; the attempt says whose they are. The guard sends all of them in one trip
and hands each rule its `Reading`s to judge. See ``store/kinds/*.lua`` for what each kind does.

Counters do not change from request to request: a rule makes them once and returns the same tuple
every time, so that the guard can prepare the question once as well.

Money is in whole micro-dollars (µ$); `pumpguard.counters.micros` makes them of USD.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias, TypeGuard

from pumpguard.counters.learning import (
    Conversion,
    Pulse,
    Spike,
    Trust,
)
from pumpguard.counters.limits import (
    DISTINCT_UP_TO,
    EXACT_UP_TO,
    NEIGHBOURS_REMEMBERED,
    SLICES,
    Ban,
    Counts,
    Distinct,
    Neighbours,
    Window,
)
from pumpguard.counters.money import Credit, Refunds, Spend, micros
from pumpguard.counters.outcomes import Known, Tickets
from pumpguard.counters.reading import Reading

__all__ = [
    "DISTINCT_UP_TO",
    "EXACT_UP_TO",
    "NEIGHBOURS_REMEMBERED",
    "SLICES",
    "Ban",
    "Conversion",
    "Counter",
    "Counts",
    "Credit",
    "Distinct",
    "Known",
    "Neighbours",
    "Pulse",
    "Reading",
    "Refunds",
    "Spend",
    "Spike",
    "Tickets",
    "Trust",
    "Window",
    "divided",
    "identity",
    "in_slices",
    "keeps_log",
    "longest",
    "micros",
]

Counter: TypeAlias = (
    Window
    | Distinct
    | Neighbours
    | Ban
    | Spend
    | Credit
    | Conversion
    | Pulse
    | Spike
    | Trust
    | Known
    | Tickets
    | Refunds
)


def identity(counter: Counter, span: int = 0) -> str:
    """What makes a counter the same counter from request to request, and from deploy to deploy.

    Changing a limit keeps what was counted, unless the new limit is kept in another layout. A log
    is kept for the ``span`` of the longest window that shares it (seconds; its own, if not told).
    """
    match counter:
        case Window():
            layout = _layout(counter.limit * counter.most)
            layout += " of attempts" if counter.counts == "attempts" else ""
        case Ban():
            layout = _layout(counter.strikes * counter.most)
        case Tickets():
            layout = ",".join(counter.remembers)
        case Spike():
            layout = counter.counts
        case _:
            layout = ""
    seconds = 0
    if not isinstance(counter, Pulse | Trust):
        seconds = span or counter.seconds
    return f"{type(counter).__name__} {layout} {seconds} {counter.by} {counter.rule}"


def longest(counters: Sequence[Counter]) -> tuple[int, ...]:
    """For how many seconds the log of each counter matters; 0 for what is no log. Windows of one
    rule that count the same about one subject share one, and so have the same identity."""
    spans: dict[tuple[str, str, str], int] = {}
    logs = [counter if keeps_log(counter) else None for counter in counters]
    for log in logs:
        if log is not None:
            shared = log.rule, log.by, log.counts
            spans[shared] = max(spans.get(shared, 0), log.seconds)
    return tuple(0 if log is None else spans[log.rule, log.by, log.counts] for log in logs)


def keeps_log(counter: Counter) -> TypeGuard[Window]:
    """Whether it is a window that keeps the time of every hit."""
    return isinstance(counter, Window) and _layout(counter.limit * counter.most) == "log"


def in_slices(counter: Counter) -> bool:
    """Whether it counts hits of which a log would have to keep too many."""
    match counter:
        case Window():
            return not keeps_log(counter)
        case Ban():
            return _layout(counter.strikes * counter.most) != "log"
    return False


def divided(counter: Counter, parts: int) -> Counter:
    """The counter for one of ``parts`` that share its limit: rounded down, but of a count never
    below 1. Kinds without a limit of that sort stay as they are."""
    match counter:
        case Window() | Distinct() | Neighbours():
            return replace(counter, limit=max(1, counter.limit // parts))
        case Ban():
            return replace(counter, strikes=max(1, counter.strikes // parts))
        case Spend():
            reserved = -(-counter.reserved // parts)
            return replace(counter, limit=counter.limit // parts, reserved=reserved)
        case Spike():
            return replace(counter, minimum=max(1, counter.minimum // parts))
        case Credit() | Refunds():
            return replace(counter, limit=counter.limit // parts)
    return counter


def _layout(limit: int) -> str:
    return "log" if limit <= EXACT_UP_TO else "slices"
