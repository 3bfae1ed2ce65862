"""Refusals that a process makes itself, many of them told to the store in one call.

Of a question that is refused if a stranger asks it, the store has to know little: is the number
known, does it owe, does a ban stand that comes first? And it has to count what counts refusals:
attempts, and the strikes of bans. What that needs of a plan is its `Form` (``refuse.lua``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from pumpguard.counters import Counter, Reading
from pumpguard.counters.base import Turn
from pumpguard.counters.plan import Plan
from pumpguard.decision import Action
from pumpguard.store.base import Answer, Refusal
from pumpguard.store.codec import ATTEMPTS, BINDS, OUTDATED, segment
from pumpguard.store.scripts import Word

DECIDES, STRUCK = BINDS, 4
"""Flags of a segment: it is asked before anything is refused; this refusal is a strike for it."""


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """What ``refuse.lua`` is told of a plan: of which ``groups`` it needs the keys, and in
    ``places`` the index in the plan of each segment's first counter."""

    groups: tuple[int, ...]
    places: tuple[int, ...]
    encoded: bytes
    kinds: frozenset[type[Counter]]
    parts: frozenset[str]


@lru_cache(maxsize=1024)
def form(plan: Plan, full: frozenset[int], refused_by: frozenset[str]) -> Form:
    """The form of refusals by the counters at these indexes, and by rules that spoke before."""
    groups, places, encoded = [], [], []
    for g, segments in enumerate(plan.segments):
        flags = {each: _flags(plan, each[0], full, refused_by) for each in segments}
        if not any(flags.values()) and not any(_is_ban(plan, each[0]) for each in segments):
            continue
        needed = [each for each in segments if flags[each] or _belongs(plan, each[0])]
        groups.append(g)
        places += [each[0] for each in needed]
        encoded.append(bytes([len(needed)]))
        encoded += [segment(plan, each, flags[each]) for each in needed]
    counters = [plan.counters[i] for i in places]
    return Form(
        tuple(groups),
        tuple(places),
        bytes([len(groups)]) + b"".join(encoded),
        frozenset(type(each) for each in counters),
        frozenset(part for each in counters for part in each.parts),
    )


def words(
    at: float | None, refusals: Sequence[Refusal], forms: Mapping[Form, Sequence[int]]
) -> list[Word]:
    """The arguments of ``refuse.lua``; ``forms`` says which of the refusals have each."""
    question = refusals[0].question
    found: list[Word] = [
        0 if at is None else int(at * 1000),
        question.jitter,
        question.overrides_version,
    ]
    for each, indexes in forms.items():
        found += each.encoded, len(indexes)
    return found


def answers(
    reply: Sequence[int], refusals: Sequence[Refusal], forms: Mapping[Form, Sequence[int]]
) -> list[Answer | None]:
    """What ``refuse.lua`` says to each."""
    if reply[0] == OUTDATED:
        return [Answer(False, {}, reply[1] / 1000, outdated=True) for _ in refusals]
    found: list[Answer | None] = [None] * len(refusals)
    now, at = reply[0] / 1000, 1
    for each, indexes in forms.items():
        for i in indexes:
            code, at = reply[at], at + 1
            if code == 0:
                continue
            readings = dict(refusals[i].full)
            for _ in range(code - 1):
                place, level, wait = reply[at : at + 3]
                readings[each.places[place]] = Reading(level, wait / 1000)
                at += 3
            found[i] = Answer(False, readings, now)
    return found


def _flags(plan: Plan, i: int, full: frozenset[int], refused_by: frozenset[str]) -> int:
    counter = plan.counters[i]
    comes_first = plan.binds[i] and (counter.refuses_at_once or counter.action is Action.SHADOW)
    only_debts = counter.remembers is not None  # what a number owes
    apart = not only_debts or any(plan.counters[j].looks_at_debts for j in full)
    decides = (counter.sets_apart and apart) or (_is_ban(plan, i) and comes_first)
    struck = not refused_by.isdisjoint(counter.fed_by_rules) or any(
        counter.struck_by(plan.counters[j]) for j in full
    )
    attempts = ATTEMPTS if counter.counts_attempts else 0
    return (DECIDES if decides else 0) | attempts | (STRUCK if struck and not attempts else 0)


def _is_ban(plan: Plan, i: int) -> bool:
    return plan.counters[i].turn is Turn.BAN


def _belongs(plan: Plan, i: int) -> bool:
    """Whether bans of its subject depend on it, or it is one."""
    return _is_ban(plan, i) or plan.counters[i].turn is Turn.BEFORE_ITS_SUBJECT
