"""What would happen to an attempt if it came now, rule by rule; nothing is charged or begun.

The same pages decide (`pumpguard.engine.decide`); the store is asked by the same script, whose
writes go nowhere (`pumpguard.store.scripts.peek_script`), and reports every counter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pumpguard.attempt import Attempt
from pumpguard.counters import Counter, Reading
from pumpguard.counters.plan import Plan
from pumpguard.decision import Decision, Enforced, Finding, Mode
from pumpguard.engine.decide import MAX_RETRIES, NOT_ASKED, Engine
from pumpguard.errors import StoreError
from pumpguard.observations import Observations
from pumpguard.overrides.sync import OverrideSync
from pumpguard.rules import Rule
from pumpguard.store.base import Answer, Question
from pumpguard.store.inspected import InspectedStore

if TYPE_CHECKING:
    from pumpguard.policy import Policy


@dataclass(frozen=True, slots=True)
class RuleExplained:
    """What one rule says: its ``finding``, if it has one, and each of its counters as it stands."""

    name: str
    mode: Mode
    finding: Finding | None
    counters: tuple[tuple[Counter, Reading], ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """The decision as it would be, and what each rule says. ``others`` are findings of no rule: of
    the posture, the lists and the risk score."""

    decision: Decision
    rules: tuple[RuleExplained, ...]
    others: tuple[Finding, ...]


class Explainer(Engine):
    """Explains one attempt after the other; make one for each. It does not know how fast codes are
    entered here, so a rule about conversion may differ by a message or two."""

    def __init__(
        self,
        policy: Policy,
        rules: Sequence[Rule],
        store: InspectedStore,
        overrides: OverrideSync,
        observations: Observations,
        *,
        simulated: bool = False,
    ) -> None:
        super().__init__(policy, rules, store, overrides, None, observations, simulated=simulated)
        self._chain, self._peeked = rules, store
        self._found: dict[Counter, Reading] = {}

    async def explain(self, attempt: Attempt) -> Explanation:
        """What would become of it. Raises `StoreError`."""
        await self._overrides.refresh()
        for _ in range(MAX_RETRIES):
            decision = await self._decide(attempt, (), False)
            if decision is not None:
                return self._explained(decision)
            await self._overrides.refresh()
        raise StoreError("the overrides keep changing")

    def _explained(self, decision: Decision) -> Explanation:
        said = {finding.rule: finding for finding in reversed(decision.findings)}
        monitored = self._overrides.current.monitored(decision.attempt.at)
        rules = []
        for rule in self._chain:
            counted = [(c, r) for c, r in self._found.items() if c.rule == rule.name]
            mode: Mode = "monitor" if rule.name in monitored else rule.mode
            rules.append(RuleExplained(rule.name, mode, said.pop(rule.name, None), tuple(counted)))
        others = tuple(f for f in decision.findings if f.rule in said)
        return Explanation(decision, tuple(rules), others)

    async def _ask(self, question: Question, enforced: Enforced, use_store: bool) -> Answer:
        """The answer to the same question, of which every counter is read and none binds: what is
        full speaks through its rule."""
        plan = question.plan
        if not plan.counters:
            return NOT_ASKED
        nothing_binds = [False] * len(plan.counters)
        plan = Plan(plan.counters, nothing_binds, reports=True, proved=plan.proved)
        answer = await self._peeked.peek(replace(question, plan=plan))
        self._found = {plan.counters[i]: reading for i, reading in answer.readings.items()}
        return answer
