"""Which refusals stay visible under a shadow: those that the same client would meet without it."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from pumpguard.attempt import Attempt
from pumpguard.counters import Counter, Reading, Window
from pumpguard.decision import Action, Decision, Finding
from pumpguard.engine.combine import refuses
from pumpguard.rules import Rule

OWN_DIMENSIONS = ("phone", "solution")
"""Dimensions that concern nobody else: the number, and the challenge solved for this request."""

MAX_SUBJECTS = 10_000
MAX_TIMES = 16
"""Numbers and solutions that are remembered, and the newest messages of each."""

EMPTY = Reading(0, 0.0)

logger = logging.getLogger("pumpguard")


class Shown(NamedTuple):
    """A decision as its client hears it, and as it is recorded."""

    reply: Decision
    record: Decision


class VisibleRefusals:
    """Turns a shadow into the refusal that the same request would get without it.

    A shadow hides that no message was sent, and the refusals of rules that count, because those
    come and go. Three kinds of refusal stay visible: a challenge that was not solved; what a rule
    says of the request alone, which would otherwise seem lifted for this one client; and the
    limits of the number and of the solution, so that whoever asks again too soon, or uses one
    solution twice, is told so as after a real message.

    For those limits this process counts the messages that it admits and shadows. The store counts
    no shadows: a shadowed client must not fill it with numbers that are not its own.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = {rule.name: rule for rule in rules if rule.mode == "enforce"}
        self._sent: OrderedDict[tuple[str, str | None], tuple[float, ...]] = OrderedDict()

    def count(self, attempt: Attempt) -> None:
        """Count a message that was sent, or that its client takes for sent."""
        sent = self._sent
        for key in (("phone", attempt.phone.e164), ("solution", attempt.solution)):
            if key[1] is not None:
                times = sent.pop(key, ())
                if len(sent) >= MAX_SUBJECTS:
                    sent.popitem(last=False)
                sent[key] = (*times[1 - MAX_TIMES :], attempt.at)

    def resolve(self, decision: Decision) -> Shown:
        """The decision to reply by, without a trace of the shadow, and the one to record."""
        attempt = decision.attempt
        own = list(self._own_limits(attempt))
        found = own + [f for f in decision.findings if self._stays_visible(f, attempt)]
        if not found:
            self.count(attempt)
            return Shown(decision, decision)
        action = max(finding.action for finding in found)
        findings = (*own, *decision.findings)
        strictest = sorted(findings, key=lambda f: (f.mode != "enforce", -f.action))
        return Shown(
            replace(decision, action=action, findings=tuple(found)),
            replace(decision, action=action, findings=tuple(strictest)),
        )

    def _stays_visible(self, finding: Finding, attempt: Attempt) -> bool:
        if finding.action is Action.SHADOW or not refuses(finding, attempt):
            return False
        rule = self._rules.get(finding.rule)
        return finding.action is Action.CHALLENGE or (
            rule is not None and not _counters(rule, attempt)
        )

    def _own_limits(self, attempt: Attempt) -> Iterator[Finding]:
        """What the rules with limits on the request's own dimensions find."""
        for rule in self._rules.values():
            counters = _counters(rule, attempt)
            if not any(counter.by in OWN_DIMENSIONS for counter in counters):
                continue
            finding = rule.judge(attempt, [self._reading(each, attempt) for each in counters])
            if finding is not None and finding.action is not Action.SHADOW:
                yield finding

    def _reading(self, counter: Counter, attempt: Attempt) -> Reading:
        """What a window says of the messages counted here."""
        subject = attempt.subject(counter.by) if counter.by in OWN_DIMENSIONS else None
        if subject is None or not isinstance(counter, Window):
            return EMPTY
        times = self._sent.get((counter.by, subject), ())
        within = [at for at in times if at > attempt.at - counter.seconds]
        limit = counter.for_all
        if len(within) < limit:
            return Reading(len(within), 0.0)
        return Reading(len(within), within[-limit] + counter.seconds - attempt.at)


def _counters(rule: Rule, attempt: Attempt) -> Sequence[Counter]:
    try:
        return rule.counters(attempt)
    except Exception:
        logger.debug("a rule failed, as the chain has said already", exc_info=True)
        return ()
