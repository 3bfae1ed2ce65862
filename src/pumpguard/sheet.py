"""One way in which the rules of a chain declare, and what they make of the answer."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from pumpguard.attempt import Attempt
from pumpguard.counters import Counter, Reading
from pumpguard.counters.plan import Plan, Weight
from pumpguard.decision import Finding
from pumpguard.rules import Rule

UNREAD = Reading(0, 0.0)

Declared: TypeAlias = tuple[Sequence[Counter], ...]
Reader: TypeAlias = Callable[[Attempt], str | None]

Enforced: TypeAlias = Literal["all", "budgets", "nothing"]
"""What of a chain may refuse: all that the policy says, or of that only the caps on money, or
nothing. The rest is judged and recorded as if its rules were in the mode ``monitor``."""

logger = logging.getLogger("pumpguard")


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """One way in which the chain's rules may declare: the plan to ask by, and who is told what.

    ``dimensions`` are those of the plan's subjects and then of its members, and ``readers`` read
    them off an attempt.

    ``silent`` rules declared nothing and speak from the attempt alone. ``asking`` holds each other
    rule with the plan's index of each of its counters, ``None`` for one that cannot be asked
    because the attempt has no such subject, and with its weight in the risk score. ``owners`` says
    to which of them each counter of the plan belongs, ``always`` who is asked in any case.
    ``enforced`` is the chain's.
    """

    declared: Declared
    dimensions: tuple[str, ...]
    readers: tuple[Reader, ...]
    silent: tuple[Rule, ...]
    asking: tuple[tuple[Rule, tuple[int | None, ...], Weight], ...]
    owners: tuple[int, ...]
    always: frozenset[int]
    plan: Plan
    enforced: Enforced = "all"


def speak(sheet: Sheet, attempt: Attempt) -> list[Finding]:
    """What the rules without counters find, before the store is asked."""
    found = []
    monitored = sheet.enforced != "all"
    for rule in sheet.silent:
        finding = _judged(rule, attempt, (), monitored)
        if finding is not None:
            found.append(finding)
    return found


def judge(sheet: Sheet, attempt: Attempt, readings: Mapping[int, Reading]) -> list[Finding]:
    """What the others find, now that their counters are read.

    A rule is asked if one of its counters is full, or if it is ``judged_always``. A finding weighs
    what was declared, because that is what the store reckons with.
    """
    found = []
    asked = {sheet.owners[place] for place, reading in readings.items() if reading.full}
    for position in sorted(asked | sheet.always):
        rule, places, weight = sheet.asking[position]
        mine = [UNREAD if place is None else readings.get(place, UNREAD) for place in places]
        finding = _judged(rule, attempt, mine, _monitored(sheet, places, readings))
        if finding is not None:
            factor = weight.of(readings)
            found.append(finding if finding.weight == factor else replace(finding, weight=factor))
    return found


def total(sheet: Sheet, score: float, readings: Mapping[int, Reading]) -> float:
    """The risk score as the store reckons it: times every weight that a full counter earns, in the
    order of the chain, because another could round differently."""
    for _, _, weight in sheet.asking:
        score *= weight.of(readings)
    return score


def _monitored(sheet: Sheet, places: Sequence[int | None], readings: Mapping[int, Reading]) -> bool:
    """Whether none of a rule's counters that are full may refuse, where not all of them may."""
    if sheet.enforced == "all":
        return False
    binds = sheet.plan.binds
    return not any(i in readings and binds[i] and readings[i].full for i in places if i is not None)


def _judged(
    rule: Rule, attempt: Attempt, readings: Sequence[Reading], monitored: bool = False
) -> Finding | None:
    try:
        finding = rule.judge(attempt, readings)
    except Exception:
        broken(rule)
        return None
    mode = "monitor" if monitored else rule.mode
    if finding is None or (finding.rule == rule.name and finding.mode == mode):
        return finding
    return replace(finding, rule=rule.name, mode=mode)


def broken(rule: Rule) -> None:
    """A rule that raises is silent for this request; the others go on."""
    logger.exception("PG020 rule %r raised an exception; it is skipped for this request", rule.name)
