"""The guard: one attempt in, one decision out, for HTTP and for background workers alike."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable, Coroutine
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeVar

from pumpguard.alerts.alerts import Alert, Alerts
from pumpguard.alerts.webhook import Webhook
from pumpguard.attempt import Attempt
from pumpguard.challenges.base import Challenge
from pumpguard.decision import Decision
from pumpguard.engine.decide import Engine
from pumpguard.errors import PolicyError
from pumpguard.intake.network import Networks, default_networks
from pumpguard.intake.phone import canonical
from pumpguard.intake.reader import Reader
from pumpguard.outcomes import Ticket
from pumpguard.outcomes.queue import Failed, OutcomeQueue, Verified
from pumpguard.overrides.admin import OverrideAdmin
from pumpguard.overrides.escalator import Escalator
from pumpguard.overrides.lists import keyed_hash
from pumpguard.overrides.sync import OverrideSync
from pumpguard.policy import Policy
from pumpguard.rules.assembly import warn_without_defaults
from pumpguard.rules.challenge import warn_missing_challenge, with_single_use
from pumpguard.scores import doubt
from pumpguard.scores.base import Score
from pumpguard.shadow.sender import sender
from pumpguard.store.base import Store
from pumpguard.store.opening import open_store

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
    ``challenge`` poses challenges and knows a solved one (`pumpguard.challenges`); ``networks``
    looks addresses up; ``score`` is asked about requests whose risk score is medium, if the
    policy's ``risk`` is enforced. ``on_decision`` is called once for every decision, after the
    reply, and ``on_alert`` for what needs a person. ``overrides`` sets the posture and the lists
    of all processes that share the store.
    """

    def __init__(
        self,
        policy: Policy,
        store: str | Store = "memory://",
        *,
        clock: Callable[[], float] | None = None,
        challenge: Challenge | None = None,
        networks: Networks | None = None,
        score: Score | None = None,
        on_decision: Callable[[Decision], None] | None = None,
        on_alert: Callable[[Alert], None] | None = None,
    ) -> None:
        self.policy = policy
        if isinstance(store, str):
            store = open_store(
                store,
                name=policy.name,
                secret=policy.secret,
                deadline=policy.deadline,
                shards=policy.shards,
            )
        self.store = store
        self.simulated = clock is not None
        self.challenge = challenge
        self.reader = Reader(policy, networks or default_networks(), challenge, clock)
        self._clock = clock
        self._on_decision = [] if on_decision is None else [on_decision]
        if any(map(iscoroutinefunction, (on_decision, type(on_decision).__call__))):
            raise PolicyError("on_decision", "a plain function: nobody would await it", on_decision)
        self._on_alert = on_alert
        self._score = score
        if score is not None and policy.risk is None:
            raise PolicyError("risk", "levels: an outside score is asked about the medium one")
        self._outcomes: OutcomeQueue | None = None
        if policy.outcome_counters is not None:
            self._outcomes = OutcomeQueue(policy.chain, policy.outcome_counters, self.store)
        hashed, kept, now = keyed_hash(policy.secret), self.store.overrides, clock or time.time
        self._sync = sync = OverrideSync(kept, hashed, sharded=policy.shards > 1)
        self.overrides = OverrideAdmin(
            kept, hashed, region=policy.region, clock=now, on_change=sync.invalidate
        )
        rules = with_single_use(policy.chain, challenge)
        self._engine = Engine(
            policy, rules, self.store, sync, self._outcomes, simulated=self.simulated
        )
        # In simulated time the server's hours are none.
        self._alerts = Alerts(on_alert, now, None if self.simulated else kept.claim)
        self._escalator: Escalator | None = None
        if policy.escalation is not None:
            self._escalator = Escalator(policy.escalation, self.overrides, sync, now)
        warn_without_defaults(policy.rules, policy.chain)
        if challenge is None:
            by_score = policy.risk is not None and policy.risk.asks_for_proof
            warn_missing_challenge(policy.chain, by_score or policy.escalation is not None)

    @property
    def orders(self) -> OverrideAdmin:
        """The old name of ``overrides``, kept until 0.3."""
        warnings.warn("guard.orders is guard.overrides now", DeprecationWarning, stacklevel=2)
        return self.overrides

    def attempt(self, phone: str, address: str | None = None, **facts: Any) -> Attempt:
        """An attempt from outside HTTP, such as a task queue. Raises `IntakeError`.

        ``facts`` may be ``session``, ``account``, ``device``, ``proved`` and ``solution`` (what
        proved it, if that counts once), and ``extra``: values on the policy's own dimensions.
        """
        number = canonical(phone, None, self.policy.region)
        return self.reader.attempt(number, address, **facts)

    async def assess(self, attempt: Attempt) -> Decision:
        """Decide about an attempt, and record the decision."""
        decision = await self.decide(attempt)
        self.record(decision)
        return decision

    def decide(self, attempt: Attempt) -> Coroutine[Any, Any, Decision]:
        """Decide about an attempt: at most one trip to the store, whatever the number of rules, and
        a second one if an outside score was asked."""
        score, risk = self._score, self.policy.risk
        if score is None or risk is None or risk.mode != "enforce":
            return self._engine.decide(attempt)
        return doubt.decide(self._engine.decide, attempt, score, risk)

    def settle(
        self, message: Decision | Ticket | str, outcome: Literal["sent", "failed", "unallocated"]
    ) -> None:
        """Say what became of a message.

        ``failed``: it was not sent, and is refunded, within a cap. ``unallocated``: it was sent and
        billed, and the operator rejected it because nobody has the number. Nothing is given back
        for such a message: not its dollars, not its credit, and for conversion it stays unverified.

        ``message`` is its decision, or its ticket, also as text. Returns at once and never raises
        for the store's sake; the first outcome of a message counts, others change nothing. Raises
        `TicketError`.
        """
        if outcome == "sent":
            return  # as every reservation assumes
        if isinstance(message, Decision):
            message = Ticket(message.reservation, message.attempt)
        ticket = Ticket.parse(message) if isinstance(message, str) else message
        if self._outcomes is not None and ticket.reservation:
            self._outcomes.add(Failed(ticket, self._now(), outcome))

    def verified(self, phone: str) -> None:
        """Say that a code was entered for this number, spelt as it may be. Raises `IntakeError`."""
        number = canonical(phone, None, self.policy.region)
        if self._outcomes is not None:
            self._outcomes.add(Verified(number, self._now()))

    def valued(self, phone: str) -> None:
        """Deprecated: the same as `verified`."""
        warnings.warn("use Guard.verified instead", DeprecationWarning, stacklevel=2)
        self.verified(phone)

    async def settled(self) -> None:
        """Wait until all outcomes and alerts so far have been told, or are lost."""
        if self._outcomes is not None:
            await self._outcomes.delivered()
        await self._sync.settled()
        await self._alerts.done()
        if self._escalator is not None:
            await self._escalator.done()

    def listen(
        self, on_decision: Callable[[Decision], None], on_alert: Callable[[Alert], None]
    ) -> None:
        """Tell somebody else as well, such as a console."""
        self._on_decision.append(on_decision)
        self._alerts.listeners.append(on_alert)

    def record(self, decision: Decision) -> None:
        """Tell whoever listens; a listener that fails harms nobody else."""
        if decision.findings:
            self._alerts.record(decision)
            if self._escalator is not None:
                self._escalator.record(decision)
        for tell in self._on_decision:
            try:
                tell(decision)
            except Exception:
                logger.exception("on_decision failed")

    def sender(self, send: Callable[P, R], shadowed: Any = None) -> Callable[P, R]:
        """Wrap the function that sends messages; see `pumpguard.sender`."""
        return sender(send, shadowed)

    async def check(self) -> tuple[Concern, ...]:
        """What an operator should mend about the store: nothing, or nothing that could be seen.

        A Redis is looked at once in any case, in the background, and what is found is logged.
        """
        from pumpguard.store.health import check

        return await check(self.store)

    async def aclose(self) -> None:
        """Tell what is still to be told, and let go of the store's connections."""
        await self.settled()
        if isinstance(self._on_alert, Webhook):
            await self._on_alert.aclose()
        await self.store.aclose()
        for asked in (self._score, self.challenge):
            if asked is not None:
                await asked.aclose()

    async def __aenter__(self) -> Guard:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self.aclose()

    def _now(self) -> float | None:
        return self._clock() if self._clock is not None else None
