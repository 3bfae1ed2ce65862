"""The guard: one attempt in, one decision out, for HTTP and for background workers alike."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeVar

from pumpguard import sending
from pumpguard.attempt import Attempt
from pumpguard.chain import Chain, asks_for_proof, judge, share, speak
from pumpguard.challenge import Challenge
from pumpguard.counters import micros
from pumpguard.decision import Action, Decision, Finding
from pumpguard.errors import StoreError
from pumpguard.intake.network import Networks, default_networks
from pumpguard.intake.phone import canonical
from pumpguard.intake.reader import Reader
from pumpguard.ops.alerts import Alert, Alerts
from pumpguard.policy import Policy
from pumpguard.settlement import Failed, Verified, open_settlements
from pumpguard.store.base import Answer, Question, Store
from pumpguard.store.memory import MemoryStore, StoreFull
from pumpguard.store.opening import open_store
from pumpguard.ticket import Ticket
from pumpguard.verdict import stands, verdict

if TYPE_CHECKING:
    from types import TracebackType

P = ParamSpec("P")
R = TypeVar("R")

logger = logging.getLogger("pumpguard")


class Guard:
    """Judges attempts by a policy, over a store.

    ``store`` is a URL (``redis://``, ``rediss://``, ``unix://``, ``memory://``) or a store.
    ``clock`` replaces the store's own clock, in Unix seconds, where time is simulated.
    ``challenge`` knows a solved challenge; ``networks`` looks addresses up; ``on_decision`` is
    called once for every decision, after the reply, and ``on_alert`` for what needs a person.
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
        on_alert: Callable[[Alert], None] | None = None,
    ) -> None:
        self.policy = policy
        self.store = open_store(store, policy) if isinstance(store, str) else store
        self.simulated = clock is not None
        self.reader = Reader(policy, networks or default_networks(), challenge, clock)
        self._clock = clock
        self._on_decision = on_decision
        self._alerts = Alerts(on_alert, clock or time.time)
        self._chain = Chain(policy.chain)
        self._settlements = open_settlements(policy, self.store)
        self._dearest = policy.price_table.unknown
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
        refusing = [finding for finding in spoken if stands(finding, attempt)]
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
            micros(self._dearest if attempt.price is None else attempt.price),
            digits=attempt.phone.national,
        )
        settlements = self._settlements
        if settlements is not None:
            question.ticket = random.randbytes(4)  # noqa: S311 - tells messages apart, no secret
            question.matures_after = settlements.delays.matures_after
            settlements.deliver()  # what was queued where no event loop ran
        if not plan.counters or (refusing and not _feeds_on(question)):
            return verdict(attempt, spoken)
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
            return Decision(
                attempt, degraded=degraded, known=answer.known, reservation=answer.ticket
            )
        findings = spoken + judge(sheet, attempt, answer.readings)
        return verdict(attempt, findings, answer.admitted, degraded, answer.known, answer.ticket)

    def settle(self, message: Decision | Ticket | str, outcome: Literal["sent", "failed"]) -> None:
        """Say what became of a message: a failed one is refunded, within a cap.

        ``message`` is its decision, or its ticket, also as text. Returns at once and never raises
        for the store's sake; say it once or more often, it counts once. Raises `TicketError`.
        """
        if outcome == "sent":
            return  # as every reservation assumes
        if isinstance(message, Decision):
            message = Ticket(message.reservation, message.attempt)
        ticket = Ticket.parse(message) if isinstance(message, str) else message
        if self._settlements is not None and ticket.reservation:
            self._settlements.add(Failed(ticket, self._now()))

    def verified(self, phone: str) -> None:
        """Say that a code was entered for this number, spelt as it may be. Raises `IntakeError`."""
        number = canonical(phone, None, self.policy.region)
        if self._settlements is not None:
            self._settlements.add(Verified(number, self._now()))

    def valued(self, phone: str) -> None:
        """Say that the owner of this number has proven of value since, such as by a purchase: it
        stays a known one from today on. Raises `IntakeError`."""
        self.verified(phone)

    async def settled(self) -> None:
        """Wait until all outcomes so far have reached the store, or are lost."""
        if self._settlements is not None:
            await self._settlements.delivered()

    def record(self, decision: Decision) -> None:
        """Tell whoever listens; a listener that fails harms nobody else."""
        if decision.findings:
            self._alerts.look(decision)
        if self._on_decision is not None:
            try:
                self._on_decision(decision)
            except Exception:
                logger.exception("on_decision failed")

    def sender(self, send: Callable[P, R], shadowed: Any = None) -> Callable[P, R]:
        """Wrap the function that sends messages; see `pumpguard.sender`."""
        return sending.sender(send, shadowed)

    async def aclose(self) -> None:
        """Tell what is still to be told, and let go of the store's connections."""
        await self.settled()
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
        return self._local.decide_now(replace(question, plan=plan, ticket=b""))

    def _now(self) -> float | None:
        return self._clock() if self._clock is not None else None

    def _blind(self, attempt: Attempt, spoken: list[Finding]) -> Decision:
        if self.policy.on_store_failure == "closed":
            return self._refused_blind(attempt, spoken)
        return verdict(attempt, spoken, degraded=True)

    def _refused_blind(self, attempt: Attempt, spoken: list[Finding]) -> Decision:
        away = Finding("store", Action.THROTTLE, "STORE_UNAVAILABLE", retry_after=1.0)
        return verdict(attempt, [*spoken, away], degraded=True)


def _feeds_on(question: Question) -> bool:
    """Whether a request that is refused already still has to be counted somewhere."""
    plan = question.plan
    return plan.counts_attempts or not plan.feeding.isdisjoint(question.refused_by)
