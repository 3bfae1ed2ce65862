"""What a shadow does not cover: what the same request would be answered without it."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from pumpguard.attempt import Attempt
from pumpguard.counters import Counter, Window
from pumpguard.decision import Action, Decision, Finding
from pumpguard.rules import Rule
from pumpguard.verdict import stands

PHONES = 10_000
TIMES = 16

REFUSING = (Action.THROTTLE, Action.BLOCK)

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
    limits per phone number: whoever asks again too soon is told so, as after a real message.

    For those it counts what this process admits and shadows, by the number; the store counts no
    shadows, because whoever is shadowed must not fill it with numbers that are not theirs.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = {rule.name: rule for rule in rules if rule.mode == "enforce"}
        self._asked: OrderedDict[str, tuple[float, ...]] = OrderedDict()

    def note(self, attempt: Attempt) -> None:
        """Count a message, sent or seemingly so."""
        phone = attempt.phone.e164
        times = self._asked.pop(phone, ())
        if len(self._asked) >= PHONES:
            self._asked.popitem(last=False)
        self._asked[phone] = (*times[1 - TIMES :], attempt.at)

    def shown(self, decision: Decision) -> Shown:
        """The decision to reply by, without a trace of the shadow, and the one to record."""
        attempt = decision.attempt
        too_soon = list(self._too_soon(attempt))
        found = [f for f in decision.findings if self._uncovered(f, attempt)] + too_soon
        if not found:
            self.note(attempt)
            return Shown(decision, decision)
        action = max(finding.action for finding in found)
        findings = (*too_soon, *decision.findings)
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

    def _too_soon(self, attempt: Attempt) -> Iterator[Finding]:
        times = self._asked.get(attempt.phone.e164, ())
        if not times:
            return
        for rule in self._rules.values():
            for window in _counters(rule, attempt):
                if (
                    not isinstance(window, Window)
                    or window.by != "phone"
                    or window.action not in REFUSING
                ):
                    continue
                within = [at for at in times if at > attempt.at - window.seconds]
                if len(within) >= window.limit:
                    wait = within[-window.limit] + window.seconds - attempt.at
                    evidence = {"by": "phone", "limit": window.limit, "seconds": window.seconds}
                    yield Finding(rule.name, window.action, "RATE_LIMIT", evidence, wait)


def _counters(rule: Rule, attempt: Attempt) -> Sequence[Counter]:
    try:
        return rule.counters(attempt)
    except Exception:
        logger.debug("a rule failed, as the chain has said already", exc_info=True)
        return ()
