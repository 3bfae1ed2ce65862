"""The chain of rules: what they declare becomes one question, and its answer becomes findings."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from pumpguard.attempt import Attempt, subject_reader
from pumpguard.counters import (
    Counter,
    Distinct,
    Reading,
    Spend,
)
from pumpguard.decision import Finding, met
from pumpguard.rules import Rule
from pumpguard.store.plan import Plan, Weight

SHEETS = 1_024
"""How many different questions a chain keeps prepared; far more than a policy has."""

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

    ``readers`` read the plan's subjects off an attempt.

    ``silent`` rules declared nothing and speak from the attempt alone. ``asking`` holds each other
    rule with the plan's index of each of its counters, ``None`` for one that cannot be asked
    because the attempt has no such subject, and with its weight in the risk score.
    ``enforced`` is the chain's.
    """

    declared: Declared
    readers: tuple[Reader, ...]
    silent: tuple[Rule, ...]
    asking: tuple[tuple[Rule, tuple[int | None, ...], Weight], ...]
    plan: Plan
    enforced: Enforced = "all"


class Chain:
    """A policy's rules, in order; ``scored`` if what they find together may refuse as well."""

    def __init__(
        self, rules: Sequence[Rule], scored: bool = False, enforced: Enforced = "all"
    ) -> None:
        self.rules = tuple(rules)
        self._scored = scored and enforced == "all"
        self._enforced = enforced
        self._reports = any(getattr(rule, "always", False) for rule in rules)
        self._sheets: dict[object, Sheet] = {}
        self._depends_on = _depends_on(self.rules)

    def sheet(self, attempt: Attempt) -> tuple[Sheet, tuple[str, ...], tuple[str, ...]]:
        """How to ask about this attempt, with its subjects and its members."""
        sheet = self._known(attempt)
        subjects = [read(attempt) for read in sheet.readers]
        members = [attempt.subject(of) for of in sheet.plan.members]
        if None in subjects or None in members:  # such as the IPv6 site of an IPv4 address
            blank = tuple([value is None for value in (*subjects, *members)])
            sheet = self._without(sheet, blank, attempt.proved)
            subjects = [read(attempt) for read in sheet.readers]
            members = [attempt.subject(of) for of in sheet.plan.members]
        return sheet, tuple(subjects), tuple(members)  # type: ignore[arg-type]

    def _known(self, attempt: Attempt) -> Sheet:
        if self._depends_on is None:
            return self._asked(attempt)
        key = (attempt.proved, *[read(attempt) for read in self._depends_on])
        sheet = self._sheets.get(key)
        if sheet is None:
            sheet = self._asked(attempt)
            self._remember(sheet, key)
        return sheet

    def _asked(self, attempt: Attempt) -> Sheet:
        declared = self._declared(attempt)
        # A rule returns the same tuple every time, so its identity says what it declares; the
        # sheet holds on to the tuples, so that no identity is used twice.
        sheet = self._sheets.get((*map(id, declared), attempt.proved))
        return self._find(declared, attempt.proved) if sheet is None else sheet

    def _declared(self, attempt: Attempt) -> Declared:
        try:
            return tuple([rule.counters(attempt) for rule in self.rules])
        except Exception:  # one of them has a bug; find out which
            return tuple([_counters(rule, attempt) for rule in self.rules])

    def _find(self, declared: Declared, proved: bool) -> Sheet:
        """A rule that makes its counters anew each time is recognised by what they say."""
        same = (tuple(map(tuple, declared)), proved)
        sheet = self._sheets.get(same)
        if sheet is None:
            sheet = self._prepare(declared, frozenset(), proved)
            self._remember(sheet, same, (*map(id, declared), proved))
        return sheet

    def _without(self, sheet: Sheet, blank: tuple[bool, ...], proved: bool) -> Sheet:
        """The same sheet for an attempt that has nothing to say on some dimensions."""
        key = (sheet, blank)
        found = self._sheets.get(key)
        if found is None:
            dimensions = (*sheet.plan.groups, *sheet.plan.members)
            unknown = frozenset(by for by, none in zip(dimensions, blank, strict=True) if none)
            found = self._prepare(sheet.declared, unknown, proved)
            self._remember(found, key)
        return found

    def _remember(self, sheet: Sheet, *keys: object) -> None:
        if len(self._sheets) > SHEETS:
            self._sheets.clear()
        for key in keys:
            self._sheets[key] = sheet

    def _prepare(self, declared: Declared, unknown: frozenset[str], proved: bool) -> Sheet:
        counters: list[Counter] = []
        binds: list[bool] = []
        asking: list[tuple[Rule, tuple[int | None, ...], Weight]] = []
        for rule, mine in zip(self.rules, declared, strict=True):
            places: list[int | None] = []
            heavy: list[int] = []
            for counter in mine:
                needs = {counter.by, counter.of if isinstance(counter, Distinct) else counter.by}
                if not unknown.isdisjoint(needs):
                    places.append(None)
                    continue
                if weighs(rule, counter):
                    heavy.append(len(counters))
                places.append(len(counters))
                counters.append(counter)
                binds.append(self._may_refuse(rule, counter) and not met(counter.action, proved))
            if mine:
                weight = Weight(getattr(rule, "weight", 1.0), tuple(heavy))
                asking.append((rule, tuple(places), weight))
        silent = tuple(r for r, mine in zip(self.rules, declared, strict=True) if not mine)
        weights = [weight for _, _, weight in asking] if self._scored else ()
        plan = Plan(counters, binds, self._reports, weights)
        readers = tuple(subject_reader(by) for by in plan.groups)
        return Sheet(declared, readers, silent, tuple(asking), plan, self._enforced)

    def _may_refuse(self, rule: Rule, counter: Counter) -> bool:
        if self._enforced == "budgets" and not isinstance(counter, Spend):
            return False
        return rule.mode == "enforce" and self._enforced != "nothing"


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

    A rule is asked if one of its counters is full, or if it has ``always`` set. A finding weighs
    what was declared, because that is what the store reckons with.
    """
    found = []
    for rule, places, weight in sheet.asking:
        if not getattr(rule, "always", False) and not any(
            place in readings and readings[place].full for place in places if place is not None
        ):
            continue
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


def weighs(rule: Rule, counter: Counter) -> bool:
    """Whether this counter puts its rule's weight into the score when it is full; rules whose
    counters differ in that say so in a method of this name."""
    say = getattr(rule, "weighs", None)
    return say is None or bool(say(counter))


def _depends_on(rules: Sequence[Rule]) -> tuple[Reader, ...] | None:
    """How to read all that decides what these rules declare, or ``None`` if one does not say."""
    dimensions: set[str] = set()
    for rule in rules:
        # Whoever overrides `counters` without saying so is not bound by what its base class said.
        maker = next(each for each in type(rule).__mro__ if "counters" in each.__dict__)
        if "declares_by" not in maker.__dict__:
            return None
        dimensions.update(maker.__dict__["declares_by"])
    return tuple(subject_reader(by) for by in sorted(dimensions))


def _counters(rule: Rule, attempt: Attempt) -> Sequence[Counter]:
    try:
        return rule.counters(attempt)
    except Exception:
        _broken(rule)
        return ()


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
        _broken(rule)
        return None
    mode = "monitor" if monitored else rule.mode
    if finding is None or (finding.rule == rule.name and finding.mode == mode):
        return finding
    return replace(finding, rule=rule.name, mode=mode)


def _broken(rule: Rule) -> None:
    """A rule that raises is silent for this request; the others go on."""
    logger.exception("PG020 rule %r failed; it is silent for this request", rule.name)
