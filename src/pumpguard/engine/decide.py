"""The whole decision about one attempt. `Engine._decide` is the page to read first."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Sequence
from dataclasses import replace
from time import monotonic

from pumpguard.attempt import Attempt, micros
from pumpguard.decision import Action, Decision, Finding
from pumpguard.engine.combine import combine, refuses
from pumpguard.engine.compile import CompiledRules, RuleSet
from pumpguard.engine.degraded import Fallback
from pumpguard.errors import StoreError
from pumpguard.outcomes.queue import OutcomeQueue
from pumpguard.overrides.lookup import KNOWN_ONLY, NOTHING_IN_FORCE, InForce
from pumpguard.overrides.sync import MAX_AGE, OverrideSync
from pumpguard.policy import Policy
from pumpguard.risk import product
from pumpguard.rules import Rule
from pumpguard.store.base import Answer, Question, Store

MAX_RETRIES = 3
"""How often a request is decided anew because overrides changed meanwhile; after that it is decided
without the store."""

NOT_ASKED = Answer(True, {}, 0.0)
"""What stands for the store's answer where it could change nothing."""

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
        *,
        simulated: bool = False,
    ) -> None:
        self._store = store
        self._overrides = overrides
        self._outcomes = outcomes
        self._simulated = simulated
        self._deadline = policy.deadline
        self._dearest = policy.price_table.unknown
        self._risk = None if policy.risk is None or policy.risk.mode == "off" else policy.risk
        scored = self._risk is not None and self._risk.mode == "enforce"
        beside = policy.outcome_counters.asked if policy.outcome_counters else ()
        self._rules = RuleSet(rules, beside, scored=scored)
        self._fallback = Fallback(policy.on_store_failure, policy.workers)

    async def decide(
        self, attempt: Attempt, said: Sequence[Finding] = (), *, refuse_medium: bool = False
    ) -> Decision:
        """Decide about an attempt: one trip to the store; two more, within the same deadline, when
        overrides have changed.

        ``said`` was found elsewhere; ``refuse_medium`` refuses a medium risk score whatever its
        action.
        """
        began = monotonic()
        decision = await self._decide(attempt, said, refuse_medium)
        fresh = self._overrides.checked_at >= began - MAX_AGE
        if decision is not None and (fresh or decision.degraded):
            return decision
        return await self._decide_anew(decision, began, attempt, said, refuse_medium)

    async def _decide(
        self,
        attempt: Attempt,
        said: Sequence[Finding],
        refuse_medium: bool,
        use_store: bool = True,
    ) -> Decision | None:
        """The decision, or ``None`` if the store has newer overrides than this process."""
        # Which overrides are in force for this attempt?
        override, overrides = NOTHING_IN_FORCE, self._overrides.current
        if not overrides.empty:
            override = overrides.lookup(attempt, attempt.at if self._simulated else time.time())
        if override.closed:
            return combine(attempt, override.findings, NOT_ASKED)
        judged = replace(attempt, proved=True) if override.allowed else attempt
        # What do the rules say from the request alone, and which counters do they need?
        rules, subjects = self._rules.compiled(judged)
        findings = [*override.findings, *said, *rules.judge_request(judged, override.enforced)]
        question = self._question(judged, rules, subjects, findings, override, refuse_medium)
        # What does the store know?
        answer = NOT_ASKED
        if _needs_store(question):
            answer = await self._ask(question, override, use_store)
            if answer.outdated:
                return None
        # What do the rules say to that?
        readings = rules.readings(answer)
        findings += rules.judge_readings(judged, readings, override.enforced)
        if override.known_only and not answer.known:
            findings.append(KNOWN_ONLY)
        # All findings together are the decision.
        if self._risk is not None:
            score = rules.score(question.score, readings)
            findings += self._scored(score, judged, override, refuse_medium)
        decision = combine(judged, findings, answer)
        return decision if judged is attempt else _allowed_by_list(decision, attempt)

    async def _ask(self, question: Question, override: InForce, use_store: bool) -> Answer:
        """The store's answer, or that of what stands in for it."""
        if use_store:
            try:
                answer = await self._store.decide(question)
            except StoreError as error:
                logger.debug("deciding without the store: %s", error)
            else:
                if not answer.recalled and not answer.outdated:
                    self._overrides.mark_fresh()
                return answer
        return self._fallback.answer(question, override.enforced)

    async def _decide_anew(
        self,
        decision: Decision | None,
        began: float,
        attempt: Attempt,
        said: Sequence[Finding],
        refuse_medium: bool,
    ) -> Decision:
        """Learn the newest overrides, and decide by them; without the store when time is up."""
        try:
            async with asyncio.timeout(max(0.0, began + self._deadline - monotonic())):
                for _ in range(MAX_RETRIES):
                    changed = await self._overrides.refresh()
                    if decision is not None and not changed:
                        return decision
                    decision = await self._decide(attempt, said, refuse_medium)
                    if decision is not None:
                        return decision
        except TimeoutError:
            logger.debug("the overrides could not be read in time")
        if decision is None:
            decision = await self._decide(attempt, said, refuse_medium, use_store=False)
        assert decision is not None  # noqa: S101 - for the type checker: no store could object
        return decision

    def _question(
        self,
        attempt: Attempt,
        rules: CompiledRules,
        subjects: tuple[str, ...],
        findings: list[Finding],
        override: InForce,
        refuse_medium: bool,
    ) -> Question:
        plan = rules.plan(override.enforced)
        groups = len(plan.groups)
        refusing = [f for f in findings if refuses(f, attempt)] if findings else findings
        question = Question(
            plan,
            subjects[:groups],
            subjects[groups:],
            int(attempt.phone.e164[-4:]),
            bool(refusing),
            frozenset([f.rule for f in refusing if f.action > Action.CHALLENGE]),
            attempt.at if self._simulated else None,
            0.0 if self._simulated else random.uniform(-1, 1),  # noqa: S311 - spreads, hides nothing
            str(attempt.phone.calling_code),
            micros(self._dearest if attempt.price is None else attempt.price),
            overrides_version=self._overrides.current.version,
            known_only=override.known_only,
        )
        if self._risk is not None:
            question.score = product(findings)
            if override.enforced == "all":
                question.bound = self._risk.bound(attempt.proved, refuse_medium)
        outcomes = self._outcomes
        if outcomes is not None:
            question.ticket = random.randbytes(4)  # noqa: S311 - tells messages apart, no secret
            question.matures_after = outcomes.delays.matures_after
            if outcomes.waiting:  # queued where no event loop ran
                outcomes.deliver()
        return question

    def _scored(
        self, score: float, attempt: Attempt, override: InForce, refuse_medium: bool
    ) -> list[Finding]:
        """What the risk score says against the request, if anything."""
        found = self._risk and self._risk.finding(score, attempt.proved, refuse_medium)
        if not found:
            return []
        return [found if override.enforced == "all" else replace(found, mode="monitor")]


def _needs_store(question: Question) -> bool:
    """Whether the store's answer, or what it counts, can change anything."""
    plan = question.plan
    if not plan.counters:
        return False
    feeds = plan.counts_attempts or not plan.feeding.isdisjoint(question.refused_by)
    return feeds or not question.refused


def _allowed_by_list(decision: Decision, attempt: Attempt) -> Decision:
    """Whoever is on the allow list is not asked for proof; the decision is about the attempt as it
    came."""
    because = "listed" if decision.allowed else None
    return replace(decision, attempt=attempt, allowed_because=because)
