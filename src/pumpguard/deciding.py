"""One attempt decided: by the overrides, by the rules, and by the store, in one trip."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from time import monotonic
from typing import Any, NamedTuple, TypeAlias

from pumpguard.attempt import Attempt
from pumpguard.chain import Chain
from pumpguard.counters import Known, micros
from pumpguard.counters.plan import share
from pumpguard.decision import Action, Decision, Finding
from pumpguard.errors import PolicyError, StoreError
from pumpguard.overrides.lookup import KNOWN_ONLY, NOTHING_IN_FORCE
from pumpguard.overrides.posture import Posture
from pumpguard.overrides.sync import MAX_AGE, OverrideSync
from pumpguard.policy import Policy
from pumpguard.risk import product
from pumpguard.rules import Rule
from pumpguard.settlement import Settlements
from pumpguard.sheet import Enforced, Sheet, judge, speak, total
from pumpguard.store.base import Answer, Question, Store
from pumpguard.store.memory import MemoryStore
from pumpguard.verdict import stands, verdict

NOBODY: frozenset[str] = frozenset()

MAX_RETRIES = 3
"""How often overrides may change under one request; after that it is decided without the store."""

logger = logging.getLogger("pumpguard")


class Terms(NamedTuple):
    """How the policy is applied to one attempt: what may refuse it, whether it must be a known
    number, and whether a medium score refuses whatever its action."""

    enforced: Enforced = "all"
    known_only: bool = False
    hold: bool = False


AS_ALWAYS, ON_HOLD = Terms(), Terms(hold=True)

Judging: TypeAlias = Coroutine[Any, Any, Decision | None]
"""A decision on its way; nothing if the overrides have changed."""


class Decider:
    """Decides about attempts by a policy and by the overrides that are in force."""

    def __init__(
        self,
        policy: Policy,
        rules: Sequence[Rule],
        store: Store,
        sync: OverrideSync,
        settlements: Settlements | None,
        *,
        simulated: bool = False,
    ) -> None:
        self._policy = policy
        self._store = store
        self._sync = sync
        self._settlements = settlements
        self._simulated = simulated
        self._risk = None if policy.risk is None or policy.risk.mode == "off" else policy.risk
        scored = self._risk is not None and self._risk.mode == "enforce"
        self._chains: dict[Enforced, Chain] = {
            "all": Chain(rules, scored),
            "budgets": Chain(rules, enforced="budgets"),
            "nothing": Chain(rules, enforced="nothing"),
        }
        self._dearest = policy.price_table.unknown
        self._local = _local_store() if policy.on_store_failure == "local" else None

    async def decide(
        self, attempt: Attempt, said: Sequence[Finding] = (), *, hold: bool = False
    ) -> Decision:
        """One trip; two more, within the same deadline, when there are new overrides.

        ``said`` was found elsewhere; ``hold`` refuses a medium score whatever its action.
        """
        sync, began = self._sync, monotonic()
        decision = await self._by_overrides(attempt, said, hold)
        if decision is not None and (decision.degraded or sync.checked_at >= began - MAX_AGE):
            return decision
        try:
            async with asyncio.timeout(max(0.0, began + self._policy.deadline - monotonic())):
                for _ in range(MAX_RETRIES):
                    changed = await sync.refresh()
                    if decision is not None and not changed:
                        return decision
                    decision = await self._by_overrides(attempt, said, hold)
                    if decision is not None:
                        return decision
        except TimeoutError:
            logger.debug("the overrides could not be read in time")
        decision = decision or await self._by_overrides(attempt, said, hold, alone=True)
        assert decision is not None  # noqa: S101 - for the type checker: nobody could object
        return decision

    def _by_overrides(
        self, attempt: Attempt, said: Sequence[Finding], hold: bool, *, alone: bool = False
    ) -> Judging:
        """By the overrides that this process knows; ``alone`` does not ask the store."""
        now = attempt.at if self._simulated else time.time()
        found = self._sync.current.lookup(attempt, now)
        if found is NOTHING_IN_FORCE:
            return self._by_rules(attempt, said, ON_HOLD if hold else AS_ALWAYS, alone)
        against = found.findings()
        if found.posture is Posture.CLOSED:
            return _closed(attempt, against)
        said = [*against, *said] if against else said
        if found.posture is Posture.OBSERVE:
            return self._by_rules(attempt, said, Terms("nothing"), alone)
        if found.allowed:
            terms = Terms("nothing" if found.spends_freely else "budgets")
            return self._trusted(attempt, said, terms, alone)
        terms = Terms("all", found.posture is Posture.KNOWN_ONLY, hold)
        return self._by_rules(attempt, said, terms, alone)

    async def _trusted(
        self, attempt: Attempt, said: Sequence[Finding], terms: Terms, alone: bool
    ) -> Decision | None:
        """Nobody asks somebody on the list for proof, so it is taken as given."""
        proved = attempt if attempt.proved else replace(attempt, proved=True)
        decision = await self._by_rules(proved, said, terms, alone)
        if decision is None:
            return None
        why = "listed" if decision.allowed else None
        return replace(decision, attempt=attempt, allowed_because=why)

    async def _by_rules(
        self, attempt: Attempt, said: Sequence[Finding], terms: Terms, alone: bool
    ) -> Decision | None:
        sheet, subjects, members = self._chains[terms.enforced].sheet(attempt)
        spoken = [*said, *speak(sheet, attempt)] if said else speak(sheet, attempt)
        if terms.known_only and Known not in sheet.plan.kinds:
            spoken.append(KNOWN_ONLY)  # the policy hears of no verifications: nobody is known
        question = self._question(attempt, sheet, subjects, members, spoken, terms)
        if not sheet.plan.counters or (question.refused and not _feeds_on(question)):
            return verdict(attempt, self._weighed(spoken, attempt, question.score, terms))
        answer = None
        if not alone:
            try:
                answer = await self._store.decide(question)
            except StoreError as error:
                logger.debug("deciding without the store: %s", error)
        degraded = answer is None
        if answer is None:
            answer = self._by_itself(question)
            if answer is None:
                spoken = self._weighed(spoken, attempt, question.score, terms)
                return self._blind(attempt, spoken, terms)
        elif answer.outdated:
            return None
        elif not answer.recalled:
            self._sync.mark_fresh()
        if answer.admitted and not answer.readings and not spoken:
            return Decision(
                attempt, degraded=degraded, known=answer.known, reservation=answer.ticket
            )
        findings = spoken + judge(sheet, attempt, answer.readings)
        if terms.known_only and not answer.known:
            findings.append(KNOWN_ONLY)
        if self._risk is not None:
            score = total(sheet, question.score, answer.readings)
            findings = self._weighed(findings, attempt, score, terms)
        return verdict(attempt, findings, answer.admitted, degraded, answer.known, answer.ticket)

    def _by_itself(self, question: Question) -> Answer | None:
        """What this process decides alone, with its share of every limit; nothing if the policy
        does not want that, or if it is full."""
        if self._local is None:
            return None
        plan = share(question.plan, self._policy.workers)
        try:
            return self._local.decide_now(replace(question, plan=plan, ticket=b""))
        except StoreError:
            return None

    def _question(
        self,
        attempt: Attempt,
        sheet: Sheet,
        subjects: tuple[str, ...],
        members: tuple[str, ...],
        spoken: list[Finding],
        terms: Terms,
    ) -> Question:
        refusing = [f for f in spoken if stands(f, attempt)] if spoken else spoken
        strict = [f.rule for f in refusing if f.action > Action.CHALLENGE] if refusing else ()
        question = Question(
            sheet.plan,
            subjects,
            members,
            int(attempt.phone.e164[-4:]),
            bool(refusing),
            frozenset(strict) if strict else NOBODY,
            attempt.at if self._simulated else None,
            0.0 if self._simulated else random.uniform(-1, 1),  # noqa: S311 - spreads, hides nothing
            str(attempt.phone.calling_code),
            micros(self._dearest if attempt.price is None else attempt.price),
            overrides_version=self._sync.current.version,
            known_only=terms.known_only,
        )
        if self._risk is not None:
            question.score = product(spoken)
            if terms.enforced == "all":
                question.bound = self._risk.bound(attempt.proved, terms.hold)
        settlements = self._settlements
        if settlements is not None:
            question.ticket = random.randbytes(4)  # noqa: S311 - tells messages apart, no secret
            question.matures_after = settlements.delays.matures_after
            settlements.deliver()  # what was queued where no event loop ran
        return question

    def _weighed(
        self, findings: list[Finding], attempt: Attempt, score: float, terms: Terms
    ) -> list[Finding]:
        """The findings, and what their score says."""
        together = self._risk and self._risk.finding(score, attempt.proved, terms.hold)
        if not together:
            return findings
        mode = together.mode if terms.enforced == "all" else "monitor"
        return [*findings, replace(together, mode=mode)]

    def _blind(self, attempt: Attempt, spoken: list[Finding], terms: Terms) -> Decision:
        """Neither the store can count nor, if it may, this process, which is full then."""
        if terms.enforced != "nothing":
            if self._policy.on_store_failure != "open":
                away = Finding("store", Action.THROTTLE, "STORE_UNAVAILABLE", retry_after=1.0)
                spoken = [*spoken, away]
            elif terms.known_only:
                spoken = [*spoken, KNOWN_ONLY]
        return verdict(attempt, spoken, degraded=True)


def _local_store() -> MemoryStore:
    try:
        return MemoryStore()
    except PolicyError as error:
        raise PolicyError("on_store_failure", f"'closed' or 'open', or {error.expected}") from None


async def _closed(attempt: Attempt, against: Sequence[Finding]) -> Decision:
    return verdict(attempt, against)


def _feeds_on(question: Question) -> bool:
    """Whether a request that is refused already still has to be counted somewhere."""
    plan = question.plan
    return plan.counts_attempts or not plan.feeding.isdisjoint(question.refused_by)
