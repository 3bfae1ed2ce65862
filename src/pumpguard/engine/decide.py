"""The whole decision about one attempt. `Engine._decide` is the page to read first."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from math import prod
from time import monotonic

from pumpguard.attempt import Attempt, micros
from pumpguard.counters.trust import granted
from pumpguard.decision import Action, Decision, Enforced, Finding
from pumpguard.engine.combine import combine, refuses
from pumpguard.engine.compile import CompiledRules, RuleSet
from pumpguard.engine.degraded import Fallback
from pumpguard.errors import StoreError
from pumpguard.observations import Observations
from pumpguard.outcomes.queue import OutcomeQueue
from pumpguard.overrides.lookup import KNOWN_ONLY, NOTHING_IN_FORCE, InForce
from pumpguard.overrides.sync import MAX_AGE, OverrideSync
from pumpguard.policy import Policy
from pumpguard.risk import Risk
from pumpguard.rules import Rule
from pumpguard.rules.assembly import without_verifications
from pumpguard.store.base import Answer, Question, Store
from pumpguard.turns import within

MAX_RETRIES = 3
"""How often a request is decided anew because overrides changed meanwhile; after that it is decided
without the store."""

NOT_ASKED = Answer(True, {}, 0.0)
"""In the place of the store's answer where it was not asked."""

logger = logging.getLogger("pumpguard")


class Engine:
    """Decides about attempts: by the overrides in force, by the rules, and by the store."""

    def __init__(
        self,
        policy: Policy,
        rules: Sequence[Rule],
        store: Store,
        overrides: OverrideSync,
        outcomes: OutcomeQueue | None,
        observations: Observations,
        simulated: bool = False,
    ) -> None:
        self._store = store
        self._overrides = overrides
        self._outcomes = outcomes
        self._simulated = simulated
        self._deadline, self._home = policy.deadline, policy.home
        self._monitors = policy.mode == "monitor"
        self._unknown_price = policy.price_table.unknown
        self._risk = None if policy.risk is None or policy.risk.mode == "off" else policy.risk
        scored = self._risk is not None and self._risk.mode == "enforce"
        extra = policy.outcome_counters.asked if policy.outcome_counters else ()
        compiled = partial(RuleSet, scored=scored, notices=observations.notices)
        self._rules = compiled(rules, extra)
        self._deaf_rules = compiled(without_verifications(rules), granted(extra))
        self._observations = observations
        self._fallback = Fallback(policy.on_store_failure, policy.workers)

    async def decide(
        self,
        attempt: Attempt,
        outside_findings: Sequence[Finding] = (),
        *,
        refuse_medium: bool = False,
    ) -> Decision:
        """Decide about an attempt: one trip to the store; two more, within the same deadline, when
        overrides have changed. ``outside_findings`` were made elsewhere; ``refuse_medium`` refuses
        a medium risk score whatever its action."""
        began = monotonic()
        if self._outcomes is not None and self._outcomes.waiting:  # queued without an event loop
            self._outcomes.deliver()
        known = self._overrides.current
        decision = await self._decide(attempt, outside_findings, refuse_medium)
        fresh = self._overrides.checked_at >= began - MAX_AGE
        if decision is not None and (fresh or decision.degraded):
            return decision
        # Fetch the newest overrides and decide by them; without the store when time is up.
        try:
            async with within(began + self._deadline - monotonic()):
                for _ in range(MAX_RETRIES):
                    # While this one waited for its turn, another may have read them.
                    changed = self._overrides.current is not known
                    changed = changed or await self._overrides.refresh()
                    known = self._overrides.current
                    if decision is not None and not changed:
                        return decision
                    decision = await self._decide(attempt, outside_findings, refuse_medium)
                    if decision is not None:
                        return decision
        except TimeoutError:
            logger.debug("the overrides could not be read in time")
        if decision is None:
            decision = await self._decide(attempt, outside_findings, refuse_medium, use_store=False)
        assert decision is not None  # noqa: S101 - for the type checker: no store could object
        return decision

    async def _decide(
        self,
        attempt: Attempt,
        outside_findings: Sequence[Finding],
        refuse_medium: bool,
        use_store: bool = True,
    ) -> Decision | None:
        """The decision, or ``None`` if the store has newer overrides than this process."""
        # 1. Which overrides are in force for this attempt? A closed posture needs no rules.
        overrides, override = self._overrides.current, NOTHING_IN_FORCE
        if not overrides.empty:
            override = overrides.lookup(attempt, attempt.at if self._simulated else time.time())
        if self._monitors:
            override = override.observed()
        if override.closed:
            return combine(attempt, override.findings, NOT_ASKED)
        # Whoever is on the allow list is judged as if proof had been given.
        judged = replace(attempt, proved=True) if override.allowed else attempt

        # 2. What do the rules say from the request alone, and which counters do they need?
        # Until the first verification is heard, those that need them only monitor.
        ruleset, hears = self._rules, self._observations.hearing
        crowd = hears.watches and hears.crowds[attempt.phone.region in self._home]
        if crowd and (crowd.lifts(attempt) or hears.deaf):
            ruleset = self._deaf_rules
        if override.expected is not None or override.monitored:
            ruleset = ruleset.during(override.expected, override.monitored)
        rules, subjects = ruleset.compiled(judged)
        findings = [*override.findings, *outside_findings]
        findings += rules.judge_request(judged, override.enforced)

        # 3. What does the store know? In one trip it reads the counters, and charges what passes.
        question = self._question(judged, rules, subjects, findings, override, refuse_medium)
        answer = await self._ask(question, override.enforced, use_store)
        if answer.outdated:
            return None

        # 4. What do the rules say to that?
        found = rules.judge_readings(judged, answer.readings, override.enforced)
        findings += found if override.expected is None else override.expected.noted(found)
        if override.known_only and not answer.known:
            findings.append(KNOWN_ONLY)
        if self._risk is not None:
            score = rules.score(question.score, answer.readings)
            findings += _by_score(self._risk, score, judged, override.enforced, refuse_medium)

        # 5. All findings together are the decision.
        decision = combine(judged, findings, answer)
        return decision if judged is attempt else _allowed_by_list(decision, attempt)

    async def _ask(self, question: Question, enforced: Enforced, use_store: bool) -> Answer:
        """The store's answer, or the fallback's; none is asked where it could change nothing."""
        plan = question.plan
        feeds = plan.counts_attempts or not plan.feeding.isdisjoint(question.refused_by)
        if not plan.counters or (question.refused and not feeds):
            return NOT_ASKED
        fault: StoreError | None = None
        if use_store:
            try:
                answer = await self._store.decide(question)
            except StoreError as error:
                fault = error
                logger.debug("deciding without the store: %s", error)
            else:
                if not answer.recalled and not answer.outdated:
                    if self._overrides.sharded:
                        self._overrides.mark_fresh()
                    else:
                        self._overrides.checked_at = monotonic()
                return answer
        answer = await self._fallback.answer(question, enforced, fault)
        if answer.crowded:
            self._observations.counts["overloaded"] += 1
        return answer

    def _question(
        self,
        attempt: Attempt,
        rules: CompiledRules,
        subjects: tuple[str, ...],
        findings: list[Finding],
        override: InForce,
        refuse_medium: bool,
    ) -> Question:
        plan = rules.plans[override.enforced]
        groups = len(plan.groups)
        refusing = [f for f in findings if refuses(f, attempt)] if findings else []
        refused_by = [f.rule for f in refusing if f.action > Action.CHALLENGE] if refusing else []
        question = Question(
            plan,
            subjects[:groups],
            subjects[groups:],
            last4=int(attempt.phone.e164[-4:]),
            refused=bool(refusing),
            refused_by=frozenset(refused_by),
            at=attempt.at if self._simulated else None,
            jitter=0.0 if self._simulated else random.uniform(-1, 1),  # noqa: S311 - no secret
            calling_code=str(attempt.phone.calling_code),
            price=micros(self._unknown_price if attempt.price is None else attempt.price),
            overrides_version=self._overrides.current.version,
            known_only=override.known_only,
        )
        if self._risk is not None:
            # In their order: in another, it may differ by a rounding.
            question.score = prod((finding.weight for finding in findings), start=1.0)
            if override.enforced == "all":
                question.bound = self._risk.bound(attempt.proved, refuse_medium)
        if self._outcomes is not None:
            question.ticket = random.randbytes(4)  # noqa: S311 - tells messages apart, no secret
            question.matures_after = self._outcomes.delays.matures_after
        return question


def _by_score(
    risk: Risk, score: float, attempt: Attempt, enforced: Enforced, refuse_medium: bool
) -> list[Finding]:
    """What the risk score says against the request, if anything."""
    finding = risk.finding(score, attempt.proved, refuse_medium)
    if finding is None:
        return []
    return [finding if enforced == "all" else replace(finding, mode="monitor")]


def _allowed_by_list(decision: Decision, attempt: Attempt) -> Decision:
    """The decision as one about the attempt as it came, without the proof that it was given."""
    because = "listed" if decision.allowed else None
    return replace(decision, attempt=attempt, allowed_because=because)
