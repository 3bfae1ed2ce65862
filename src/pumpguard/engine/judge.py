"""One rule: asked what it counts, and judged by what was read. One that raises an exception is
skipped, and said (``PG020``)."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence, Set
from typing import NamedTuple, Self

from pumpguard.attempt import Attempt
from pumpguard.counters import Counter, Reading
from pumpguard.decision import Action, Finding, Mode
from pumpguard.notices import Notices
from pumpguard.rules.base import Rule


class Judged(NamedTuple):
    """A rule that is judged by readings. ``places`` has the index in the plan of each counter that
    it declares, -1 for what is kept by dimensions that the attempt lacks; what is ``asked`` for are
    the others, and ``weighing`` the indexes of those that put its weight into the risk score."""

    rule: Rule
    places: tuple[int, ...]
    asked: Mapping[int, Counter]
    weighing: frozenset[int]

    @classmethod
    def of(cls, rule: Rule, lacking: Sequence[bool], declared: Sequence[Counter], at: int) -> Self:
        """Of a rule whose first counter has the index ``at``."""
        places = tuple(
            [-1 if lacks else at + i - sum(lacking[:i]) for i, lacks in enumerate(lacking)]
        )
        asked = {i: each for i, each in zip(places, declared, strict=True) if i >= 0}
        return cls(rule, places, asked, frozenset(i for i in asked if rule.weighs(asked[i])))

    def factor(self, full: Set[int]) -> float:
        """What the rule puts into the risk score."""
        return 1.0 if full.isdisjoint(self.weighing) else self.rule.weight


def declared_by(rule: Rule, attempt: Attempt, notices: Notices) -> Sequence[Counter]:
    """What a rule counts for an attempt."""
    try:
        return rule.counters(attempt)
    except Exception:
        return _skipped(rule, notices)


def judged_by(
    rule: Rule,
    attempt: Attempt,
    readings: Sequence[Reading],
    notices: Notices,
    weight: float | None = None,
    *,
    monitored: bool,
) -> Finding | None:
    """What it finds, under its name; with this weight, if one is given."""
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
