"""The guard: one attempt in, one decision out, for HTTP and for background workers alike."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from dataclasses import replace
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from pumpguard import sending
from pumpguard.attempt import Attempt
from pumpguard.chain import Chain, asks_for_proof, judge, met, share, speak
from pumpguard.challenge import Challenge
from pumpguard.decision import Action, Decision, Finding
from pumpguard.errors import PolicyError, StoreError
from pumpguard.intake.network import Networks, default_networks
from pumpguard.intake.phone import canonical
from pumpguard.intake.reader import Reader
from pumpguard.policy import Policy
from pumpguard.store.ban_cache import BanCache
from pumpguard.store.base import Answer, Question, Store
from pumpguard.store.breaker import Breaker
from pumpguard.store.memory import MemoryStore, StoreFull

if TYPE_CHECKING:
    from types import TracebackType

    from pumpguard.store.health import Concern

P = ParamSpec("P")
R = TypeVar("R")

logger = logging.getLogger("pumpguard")


class Guard:
    """Judges attempts by a policy, over a store.

    ``store`` is a URL (``redis://``, ``rediss://``, ``unix://``, ``memory://``) or a store.
    ``clock`` replaces the store's own clock, in Unix seconds, where time is simulated.
    ``challenge`` knows a solved challenge; ``networks`` looks addresses up; ``on_decision`` is
    called once for every decision, after the reply.
    """

    def __init__(
        self,
        policy: Policy,
        store: str | Store = "memory://",
        *,
        clock: Callable[[], float] | None = None,
        challenge: Challenge | None = None,
        networks: Networks | None = None,
        on_decision: Callable[[Decision], None] | None = None,
    ) -> None:
        self.policy = policy
        self.store = open_store(store, policy) if isinstance(store, str) else store
        self.simulated = clock is not None
        self.reader = Reader(policy, networks or default_networks(), challenge, clock)
        self._on_decision = on_decision
        if any(map(iscoroutinefunction, (on_decision, type(on_decision).__call__))):
            raise PolicyError("on_decision", "a plain function: nobody would await it", on_decision)
        self._chain = Chain(policy.chain)
        if challenge is None and any(asks_for_proof(rule) for rule in policy.chain):
            logger.warning(
                "PG003 rules ask for proof, and no challenge= can tell a solved one: "
                "whoever is asked stays refused"
            )
        self._local = MemoryStore()

    def attempt(self, phone: str, address: str | None = None, **facts: Any) -> Attempt:
        """An attempt from outside HTTP, such as a task queue. Raises `IntakeError`.

        ``facts`` may be ``session``, ``account``, ``device`` and ``proved``.
        """
        number = canonical(phone, None, self.policy.region)
        return self.reader.attempt(number, address, **facts)

    async def assess(self, attempt: Attempt) -> Decision:
        """Decide about an attempt, and record the decision."""
        decision = await self.decide(attempt)
        self.record(decision)
        return decision

    async def decide(self, attempt: Attempt) -> Decision:
        """Decide about an attempt: at most one trip to the store, whatever the number of rules."""
        sheet, subjects, members = self._chain.sheet(attempt)
        spoken = speak(sheet, attempt)
        refusing = [finding for finding in spoken if _stands(finding, attempt)]
        plan = sheet.plan
        question = Question(
            plan,
            subjects,
            members,
            int(attempt.phone.e164[-4:]),
            bool(refusing),
            frozenset([f.rule for f in refusing if f.action > Action.CHALLENGE]),
            attempt.at if self.simulated else None,
            0.0 if self.simulated else random.uniform(-1, 1),  # noqa: S311 - spreads, hides nothing
            str(attempt.phone.calling_code),
        )
        if not plan.counters or (refusing and not _feeds_on(question)):
            return _decision(attempt, spoken)
        try:
            answer, degraded = await self.store.decide(question), False
        except StoreError as error:
            logger.debug("deciding without the store: %s", error)
            if self.policy.on_store_failure != "local":
                return self._blind(attempt, spoken)
            try:
                answer, degraded = self._decide_locally(question), True
            except StoreFull:
                return self._refused_blind(attempt, spoken)
        if answer.admitted and not answer.readings and not spoken:
            return Decision(attempt, degraded=degraded)
        findings = spoken + judge(sheet, attempt, answer.readings)
        return _decision(attempt, findings, answer.admitted, degraded)

    def record(self, decision: Decision) -> None:
        """Tell whoever listens; a listener that fails harms nobody else."""
        if self._on_decision is not None:
            try:
                self._on_decision(decision)
            except Exception:
                logger.exception("on_decision failed")

    def sender(self, send: Callable[P, R], shadowed: Any = None) -> Callable[P, R]:
        """Wrap the function that sends messages; see `pumpguard.sender`."""
        return sending.sender(send, shadowed)

    async def check(self) -> tuple[Concern, ...]:
        """What an operator should mend about the store: nothing, or nothing that could be seen.

        A Redis is looked at once in any case, in the background, and what is found is logged.
        """
        from pumpguard.store.health import check

        return await check(self.store)

    async def aclose(self) -> None:
        """Let go of the store's connections."""
        await self.store.aclose()

    async def __aenter__(self) -> Guard:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self.aclose()

    def _decide_locally(self, question: Question) -> Answer:
        """This process alone, with its share of every limit."""
        plan = share(question.plan, self.policy.workers)
        return self._local.decide_now(replace(question, plan=plan))

    def _blind(self, attempt: Attempt, spoken: list[Finding]) -> Decision:
        if self.policy.on_store_failure == "closed":
            return self._refused_blind(attempt, spoken)
        return _decision(attempt, spoken, degraded=True)

    def _refused_blind(self, attempt: Attempt, spoken: list[Finding]) -> Decision:
        away = Finding("store", Action.THROTTLE, "STORE_UNAVAILABLE", retry_after=1.0)
        return _decision(attempt, [*spoken, away], degraded=True)


def open_store(url: str, policy: Policy) -> Store:
    """The store that a URL names; over a network, behind a breaker and a memory for bans."""
    if url.startswith("memory://"):
        return MemoryStore()
    from pumpguard.store.redis import RedisStore

    redis = RedisStore(
        url,
        name=policy.name,
        secret=policy.secret,
        deadline=policy.deadline,
        shards=policy.shards,
        checkup=True,
    )
    return BanCache(Breaker(redis))


def _decision(
    attempt: Attempt, findings: list[Finding], admitted: bool = True, degraded: bool = False
) -> Decision:
    standing = [finding for finding in findings if _stands(finding, attempt)]
    if not standing and not admitted:
        # A rule declared a limit, the limit refused, and the rule said nothing about it. What was
        # not charged must not be sent.
        standing = [Finding("store", Action.THROTTLE, "LIMIT")]
        findings = findings + standing
    action = max((finding.action for finding in standing), default=Action.ALLOW)
    return Decision(
        attempt,
        action,
        tuple(sorted(findings, key=lambda finding: (finding.mode != "enforce", -finding.action))),
        allowed_because=_why(findings) if action is Action.ALLOW else None,
        degraded=degraded,
    )


def _why(findings: list[Finding]) -> str | None:
    if any(f.mode == "enforce" and f.action is Action.CHALLENGE for f in findings):
        return "proved"
    return "monitored" if findings else None


def _stands(finding: Finding, attempt: Attempt) -> bool:
    """Whether this finding refuses this attempt."""
    return finding.mode == "enforce" and not met(finding.action, attempt.proved)


def _feeds_on(question: Question) -> bool:
    """Whether a request that is refused already still has to be counted somewhere."""
    plan = question.plan
    return plan.counts_attempts or not plan.feeding.isdisjoint(question.refused_by)
