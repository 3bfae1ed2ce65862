"""The chain of rules: what they declare for an attempt becomes one question."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from pumpguard.attempt import Attempt, subject_reader
from pumpguard.counters import Counter, Spend
from pumpguard.counters.plan import Plan, Weight
from pumpguard.decision import met
from pumpguard.rules import Rule
from pumpguard.sheet import Declared, Enforced, Reader, Sheet, broken

SHEETS = 1_024
"""How many different questions a chain keeps prepared; far more than a policy has."""

Narrowed: TypeAlias = tuple[Sheet, tuple[int, ...]]
"""A sheet for somebody who lacks some subjects, and where in the whole of them its own are."""


class Chain:
    """A policy's rules, in order; ``scored`` if what they find together may refuse as well."""

    def __init__(
        self, rules: Sequence[Rule], scored: bool = False, enforced: Enforced = "all"
    ) -> None:
        self.rules = tuple(rules)
        self._scored = scored and enforced == "all"
        self._enforced = enforced
        self._reports = any(rule.judged_always for rule in rules)
        self._sheets: dict[object, Sheet] = {}
        self._narrowed: dict[object, Narrowed] = {}
        self._depends_on = _depends_on(self.rules)

    def sheet(self, attempt: Attempt) -> tuple[Sheet, tuple[str, ...], tuple[str, ...]]:
        """How to ask about this attempt, with its subjects and its members."""
        sheet = self._known(attempt)
        said = [read(attempt) for read in sheet.readers]
        if None in said:  # such as the IPv6 site of an IPv4 address
            sheet, places = self._without(sheet, said, attempt.proved)
            said = [said[place] for place in places]
        groups = len(sheet.plan.groups)
        return sheet, tuple(said[:groups]), tuple(said[groups:])  # type: ignore[arg-type]

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

    def _without(self, sheet: Sheet, said: Sequence[str | None], proved: bool) -> Narrowed:
        """The same sheet for an attempt that has nothing to say on some dimensions, and where in
        what it said are those which are still asked for."""
        key = (sheet, tuple([value is None for value in said]))
        found = self._narrowed.get(key)
        if found is None:
            dimensions = sheet.dimensions
            missing = [by for by, value in zip(dimensions, said, strict=True) if value is None]
            narrow = self._prepare(sheet.declared, frozenset(missing), proved)
            places = tuple(dimensions.index(by) for by in narrow.dimensions)
            if len(self._narrowed) > SHEETS:
                self._narrowed.clear()
            found = self._narrowed[key] = narrow, places
        return found

    def _remember(self, sheet: Sheet, *keys: object) -> None:
        if len(self._sheets) > SHEETS:
            self._sheets.clear()
        for key in keys:
            self._sheets[key] = sheet

    def _prepare(self, declared: Declared, unknown: frozenset[str], proved: bool) -> Sheet:
        counters: list[Counter] = []
        binds: list[bool] = []
        owners: list[int] = []
        asking: list[tuple[Rule, tuple[int | None, ...], Weight]] = []
        for rule, mine in zip(self.rules, declared, strict=True):
            places: list[int | None] = []
            heavy: list[int] = []
            for counter in mine:
                if counter.by in unknown or counter.member in unknown:
                    places.append(None)
                    continue
                if rule.weighs(counter):
                    heavy.append(len(counters))
                places.append(len(counters))
                counters.append(counter)
                owners.append(len(asking))
                binds.append(self._may_refuse(rule, counter) and not met(counter.action, proved))
            if mine:
                weight = Weight(rule.weight, tuple(heavy))
                asking.append((rule, tuple(places), weight))
        silent = tuple(
            rule
            for rule, mine in zip(self.rules, declared, strict=True)
            if not mine and not rule.needs_readings
        )
        always = (i for i, (rule, _, _) in enumerate(asking) if rule.judged_always)
        weights = [weight for _, _, weight in asking] if self._scored else ()
        plan = Plan(counters, binds, self._reports, weights)
        dimensions = (*plan.groups, *plan.members)
        return Sheet(
            declared,
            dimensions,
            tuple(subject_reader(by) for by in dimensions),
            silent,
            tuple(asking),
            tuple(owners),
            frozenset(always),
            plan,
            self._enforced,
        )

    def _may_refuse(self, rule: Rule, counter: Counter) -> bool:
        if self._enforced == "budgets" and not isinstance(counter, Spend):
            return False
        return rule.mode == "enforce" and self._enforced != "nothing"


def _depends_on(rules: Sequence[Rule]) -> tuple[Reader, ...] | None:
    """How to read all that decides what these rules declare, or ``None`` if one does not say."""
    dimensions: set[str] = set()
    for rule in rules:
        if rule.declares_by is None:
            return None
        dimensions.update(rule.declares_by)
    return tuple(subject_reader(by) for by in sorted(dimensions))


def _counters(rule: Rule, attempt: Attempt) -> Sequence[Counter]:
    try:
        return rule.counters(attempt)
    except Exception:
        broken(rule)
        return ()
