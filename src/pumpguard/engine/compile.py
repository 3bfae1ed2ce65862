"""The rules, compiled: which counters an attempt needs, and which rule judges which of them.

A rule declares the same counters for nearly every attempt. So each combination of counters that
occurs is prepared once, as `CompiledRules`; an attempt then only says whose counters they are.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from itertools import compress
from math import prod
from typing import TypeAlias, get_args

from pumpguard.attempt import Attempt, subject_reader
from pumpguard.counters import Counter, Reading, Spend
from pumpguard.counters.expected import Expected
from pumpguard.counters.plan import Plan, Weight
from pumpguard.decision import Action, Enforced, Finding, Mode, met
from pumpguard.engine.judge import Judged
from pumpguard.notices import Notices
from pumpguard.rules.assembly import in_monitor
from pumpguard.rules.base import Rule

COMBINATIONS = 1_024
"""How many different combinations a policy keeps prepared; far more than it has."""

UNREAD = Reading(0, 0.0)
Readings: TypeAlias = Mapping[int, Reading]
"""By the counter's index in the plan."""


class RuleSet:
    """A policy's rules, in order, and the counters that are kept beside them whatever they say.

    ``scored``: what the rules find together may refuse as well (`pumpguard.risk`). ``expected``:
    more than usual is expected.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        extra_counters: Sequence[Counter] = (),
        scored: bool = False,
        expected: Expected | None = None,
        notices: Notices | None = None,
    ) -> None:
        self.rules = tuple(rules)
        self._extra = tuple(extra_counters)
        self._scored = scored
        self._expected = expected
        self._during: dict[tuple[Expected | None, frozenset[str]], RuleSet] = {}
        self._notices = notices or Notices()
        self._depends_on = _depends_on(self.rules)
        self._compiled: dict[object, CompiledRules] = {}

    def during(self, expected: Expected | None, monitored: frozenset[str]) -> RuleSet:
        """The same rules while that is expected, and these only monitor."""
        known, key = self._during, (expected, monitored)
        if len(known) > COMBINATIONS:
            known.clear()
        if key not in known:
            rules = in_monitor(self.rules, monitored)
            known[key] = RuleSet(rules, self._extra, self._scored, expected, self._notices)
        return known[key]

    def compiled(self, attempt: Attempt) -> tuple[CompiledRules, tuple[str, ...]]:
        """The rules as they concern this attempt, and its subjects on their dimensions."""
        if self._depends_on is None:
            compiled = self._declaring(attempt)
        else:
            key = (attempt.proved, *[read(attempt) for read in self._depends_on])
            compiled = self._compiled.get(key) or self._remember(key, self._declaring(attempt))
        subjects = tuple([read(attempt) for read in compiled.readers])
        if None in subjects:  # such as the IPv6 site of an IPv4 address
            compiled = compiled.without(tuple([each is None for each in subjects]))
            subjects = tuple([each for each in subjects if each is not None])
        return compiled, subjects  # type: ignore[return-value] # none of them is None now

    def _declaring(self, attempt: Attempt) -> CompiledRules:
        declared = tuple([_declared(rule, attempt, self._notices) for rule in self.rules])
        if self._expected is not None:
            declared = tuple([self._expected.widened(counters) for counters in declared])
        # A rule returns the same tuple every time, so its identity says what it declares. What is
        # compiled holds on to the tuples, so that no identity is used twice.
        by_identity = (attempt.proved, *map(id, declared))
        if compiled := self._compiled.get(by_identity):
            return compiled
        # A rule that makes its counters anew each time is recognised by what they say.
        by_value = (attempt.proved, tuple(map(tuple, declared)))
        compiled = self._compiled.get(by_value)
        if compiled is None:
            parts = (self.rules, declared, self._extra, self._notices)
            compiled = CompiledRules(*parts, proved=attempt.proved, scored=self._scored)
            self._remember(by_value, compiled)
            self._remember(by_identity, compiled)
        return compiled

    def _remember(self, key: object, compiled: CompiledRules) -> CompiledRules:
        if len(self._compiled) > COMBINATIONS:
            self._compiled.clear()
        self._compiled[key] = compiled
        return compiled


class CompiledRules:
    """The rules for all attempts about which they declare the same counters. ``readers`` read off
    an attempt its values on the counters' dimensions, and then on what distinct counts count."""

    def __init__(
        self,
        rules: Sequence[Rule],
        declared: Sequence[Sequence[Counter]],
        extra_counters: Sequence[Counter],
        notices: Notices,
        *,
        proved: bool = False,
        scored: bool = False,
        missing: frozenset[str] = frozenset(),
    ) -> None:
        self.declared = tuple(declared)
        self._arguments = (tuple(rules), self.declared, tuple(extra_counters), notices)
        self._notices, self._proved, self._scored = notices, proved, scored
        self._without: dict[tuple[bool, ...], CompiledRules] = {}
        pairs = list(zip(rules, declared, strict=True))
        self._by_request = tuple(r for r, mine in pairs if not mine and not r.needs_readings)
        self._extra = tuple(each for each in extra_counters if not _lacks(each, missing))
        judged: list[Judged] = []
        judges = [-1 for _ in self._extra]
        for rule, mine in pairs:
            if mine:
                lacking = [_lacks(each, missing) for each in mine]
                judged.append(Judged.of(rule, lacking, mine, len(judges)))
                judges += [len(judged) - 1] * len(judged[-1].asked)
        self._by_readings, self._judges = tuple(judged), tuple(judges)
        self._always = {i for i, each in enumerate(judged) if each.rule.judged_always}
        self.plans: Mapping[Enforced, Plan] = {
            enforced: self._planned(enforced) for enforced in get_args(Enforced)
        }
        """What to ask the store: every counter, and which of them may refuse."""
        self.counters = (plan := self.plans["all"]).counters
        self._dimensions = (*plan.groups, *plan.members)
        self.readers = tuple(subject_reader(by) for by in self._dimensions)

    def without(self, absent: tuple[bool, ...]) -> CompiledRules:
        """The rules for attempts without values where ``readers`` are ``absent``."""
        if absent not in self._without:
            missing = frozenset(compress(self._dimensions, absent))
            self._without[absent] = CompiledRules(
                *self._arguments, proved=self._proved, scored=self._scored, missing=missing
            )
        return self._without[absent]

    def judge_request(self, attempt: Attempt, enforced: Enforced) -> list[Finding]:
        """What the rules without counters find, before the store is asked."""
        notices, monitored = self._notices, enforced != "all"
        judged = [_judged(r, attempt, (), notices, monitored=monitored) for r in self._by_request]
        return [finding for finding in judged if finding is not None]

    def judge_readings(
        self, attempt: Attempt, readings: Readings, enforced: Enforced
    ) -> list[Finding]:
        """What the others find, now that their counters are read.

        A rule is judged if one of its counters is full, or if it is ``judged_always``. A finding
        weighs what the store reckons with, which is what the rule declares.
        """
        if not readings:
            return []
        found = []
        full = {i for i, reading in readings.items() if reading.wait > 0}
        concerned = self._always.union([self._judges[i] for i in full])
        for each in [self._by_readings[n] for n in sorted(concerned) if n >= 0]:
            mine = [readings.get(i, UNREAD) for i in each.places]
            monitored = enforced != "all" and not any(
                self._binds(each.rule, c, enforced) for i, c in each.asked.items() if i in full
            )
            finding = _judged(
                each.rule, attempt, mine, self._notices, each.factor(full), monitored=monitored
            )
            if finding is not None:
                found.append(finding)
        return found

    def score(self, score: float, readings: Readings) -> float:
        """The risk score as the store reckons it: times every weight that a full counter earns, in
        the order of the rules, because another could round differently."""
        full = {i for i, reading in readings.items() if reading.full}
        return prod([each.factor(full) for each in self._by_readings], start=score)

    def _planned(self, enforced: Enforced) -> Plan:
        """The plan of all counters. ``budgets`` and ``nothing`` enforce no score."""
        asked = [(each.rule, c) for each in self._by_readings for c in each.asked.values()]
        counters = [*self._extra, *(counter for _, counter in asked)]
        binds = [False for _ in self._extra]
        binds += [rule.mode == "enforce" and self._binds(rule, c, enforced) for rule, c in asked]
        weights: list[Weight] = []
        if self._scored and enforced == "all":
            for each in self._by_readings:
                weights.append(Weight(each.rule.weight, tuple(sorted(each.weighing))))
        reports = any(each.rule.judged_always for each in self._by_readings)
        return Plan(counters, binds, reports, weights, self._proved)

    def _binds(self, rule: Rule, counter: Counter, enforced: Enforced) -> bool:
        """Whether a full counter may refuse; not if it only asks for proof that was given."""
        if enforced == "nothing" or (enforced == "budgets" and not isinstance(counter, Spend)):
            return False
        return not met(counter.action, self._proved or not rule.asks)


def _lacks(counter: Counter, missing: frozenset[str]) -> bool:
    """Whether an attempt without these dimensions has no such counter."""
    return counter.by in missing or counter.member in missing


def _depends_on(rules: Sequence[Rule]) -> tuple[Callable[[Attempt], str | None], ...] | None:
    """How to read all that decides what these rules declare, or ``None`` if one does not say."""
    if any(rule.declares_by is None for rule in rules):
        return None
    dimensions = {by for rule in rules for by in rule.declares_by or ()}
    return tuple(subject_reader(by) for by in sorted(dimensions))


def _declared(rule: Rule, attempt: Attempt, notices: Notices) -> Sequence[Counter]:
    try:
        return rule.counters(attempt)
    except Exception:
        return _skipped(rule, notices)


def _judged(
    rule: Rule,
    attempt: Attempt,
    readings: Sequence[Reading],
    notices: Notices,
    weight: float | None = None,
    *,
    monitored: bool,
) -> Finding | None:
    try:
        finding = rule.judge(attempt, readings)
        asks = finding is not None and finding.action is Action.CHALLENGE
    except Exception:  # what is no finding has no action
        _skipped(rule, notices)
        return None
    if finding is None:
        return None
    mode: Mode = "monitor" if monitored or (asks and not rule.asks) else rule.mode
    weight = finding.weight if weight is None else weight
    if finding.rule == rule.name and finding.mode == mode and finding.weight == weight:
        return finding
    facts = finding.action, finding.code, finding.evidence, finding.retry_after, weight
    return Finding(rule.name, *facts, finding.subject, mode)  # `replace` is slow


def _skipped(rule: Rule, notices: Notices) -> tuple[()]:
    text = "rule %r raised an exception; it is skipped for such requests"
    notices.say("PG020", rule.name, text, rule.name, level=logging.ERROR, exc_info=True)
    return ()
