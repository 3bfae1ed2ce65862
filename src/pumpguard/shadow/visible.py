"""What a shadow does not cover: what the same request would be answered without it."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from pumpguard.attempt import Attempt
from pumpguard.counters import Counter, Reading, Window
from pumpguard.decision import Action, Decision, Finding
from pumpguard.rules import Rule
from pumpguard.verdict import stands

OWN = ("phone", "solution")
"""Dimensions that concern nobody else: the number, and what was solved for this request."""

REMEMBERED = 10_000
NOTHING = Reading(0, 0.0)
TIMES = 16

logger = logging.getLogger("pumpguard")


class Shown(NamedTuple):
    """A decision as its client hears it, and as it is recorded."""

    reply: Decision
    record: Decision


class Visible:
    """Turns a shadow into the refusal that a request gets with or without it.

    A shadow takes the place of a message sent, and of refusals by rules that count: those come
    and go. It gives way to proof that is asked for and not given, to refusals by rules that look
    at nothing but the request (they would otherwise seem lifted, for this one client), and to the
    limits of the number and of the solution: whoever asks again too soon, or solves once and asks
    twice, is told so as after a real message.

    For those it counts what this process admits and shadows; the store counts no shadows, because
    whoever is shadowed must not fill it with numbers that are not theirs.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = {rule.name: rule for rule in rules if rule.mode == "enforce"}
        self._asked: OrderedDict[tuple[str, str | None], tuple[float, ...]] = OrderedDict()

    def note(self, attempt: Attempt) -> None:
        """Count a message, sent or seemingly so."""
        asked = self._asked
        for key in (("phone", attempt.phone.e164), ("solution", attempt.solution)):
            if key[1] is not None:
                times = asked.pop(key, ())
                if len(asked) >= REMEMBERED:
                    asked.popitem(last=False)
                asked[key] = (*times[1 - TIMES :], attempt.at)

    def shown(self, decision: Decision) -> Shown:
        """The decision to reply by, without a trace of the shadow, and the one to record."""
        attempt = decision.attempt
        own = list(self._own(attempt))
        found = own + [f for f in decision.findings if self._uncovered(f, attempt)]
        if not found:
            self.note(attempt)
            return Shown(decision, decision)
        action = max(finding.action for finding in found)
        findings = (*own, *decision.findings)
        strictest = sorted(findings, key=lambda f: (f.mode != "enforce", -f.action))
        return Shown(
            replace(decision, action=action, findings=tuple(found)),
            replace(decision, action=action, findings=tuple(strictest)),
        )

    def _uncovered(self, finding: Finding, attempt: Attempt) -> bool:
        if finding.action is Action.SHADOW or not stands(finding, attempt):
            return False
        rule = self._rules.get(finding.rule)
        return finding.action is Action.CHALLENGE or (
            rule is not None and not _counters(rule, attempt)
        )

    def _own(self, attempt: Attempt) -> Iterator[Finding]:
        """What the rules that count on these dimensions find."""
        for rule in self._rules.values():
            counters = _counters(rule, attempt)
            if not any(counter.by in OWN for counter in counters):
                continue
            finding = rule.judge(attempt, [self._reading(each, attempt) for each in counters])
            if finding is not None and finding.action is not Action.SHADOW:
                yield finding

    def _reading(self, counter: Counter, attempt: Attempt) -> Reading:
        """What a window would say if it were kept here."""
        subject = attempt.subject(counter.by) if counter.by in OWN else None
        if subject is None or not isinstance(counter, Window):
            return NOTHING
        times = self._asked.get((counter.by, subject), ())
        within = [at for at in times if at > attempt.at - counter.seconds]
        if len(within) < counter.limit:
            return Reading(len(within), 0.0)
        return Reading(len(within), within[-counter.limit] + counter.seconds - attempt.at)


def _counters(rule: Rule, attempt: Attempt) -> Sequence[Counter]:
    try:
        return rule.counters(attempt)
    except Exception:
        logger.debug("a rule failed, as the chain has said already", exc_info=True)
        return ()
