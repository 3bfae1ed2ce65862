"""What the app says, and what the middleware sees, on its way into the queue of outcomes."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, get_args

from pumpguard.attempt import Attempt, Phone
from pumpguard.decision import Decision
from pumpguard.errors import TicketError
from pumpguard.listeners import Listeners
from pumpguard.observations import Observations
from pumpguard.observations.hearing import Misunderstood
from pumpguard.outcomes import Ticket
from pumpguard.outcomes.queue import OutcomeQueue
from pumpguard.outcomes.telling import Failed, Teller, Verified
from pumpguard.store.base import Store

if TYPE_CHECKING:
    from pumpguard.policy import Policy

MessageOutcome = Literal["sent", "not_sent", "failed", "unallocated"]


class OutcomeReports:
    """Reports what became of messages; where the policy keeps nothing of that, to no ``queue``."""

    def __init__(
        self,
        policy: Policy,
        store: Store,
        observations: Observations,
        clock: Callable[[], float] | None,
        listeners: Listeners,
    ) -> None:
        self.queue: OutcomeQueue | None = None
        if policy.outcome_counters is not None:
            teller = Teller(policy.chain, policy.outcome_counters, store, observations, listeners)
            self.queue = OutcomeQueue(teller, wakes=clock is None)
        self._clock = clock
        # A simulation must come out the same every time.
        self._within = policy.deadline if clock is None else None

    def settle(self, message: Decision | Ticket | str, outcome: MessageOutcome) -> None:
        """See `pumpguard.Guard.settle`. Raises `TicketError`."""
        if outcome not in get_args(MessageOutcome):
            outcomes = ", ".join(map(repr, get_args(MessageOutcome)))
            raise TicketError(f"outcome: expected one of {outcomes}, got {outcome!r}")
        if outcome == "sent":
            return  # as every reservation assumes
        if isinstance(message, Decision):
            message = Ticket.of(message)
        ticket = Ticket.parse(message) if isinstance(message, str) else message
        if self.queue is not None and ticket.reservation:
            became: Literal["failed", "unallocated"] = "failed"
            if outcome == "unallocated":
                became = outcome
            self.queue.add(Failed(ticket, self._now(), became))

    def not_sent(self, decision: Decision) -> None:
        """Give back what a message that was let through was charged: it was not sent."""
        if decision.allowed:
            self.settle(decision, "not_sent")

    async def give_back(self, *decisions: Decision) -> None:
        """Settle a request that has sent nothing, and wait for that, for at most the policy's
        ``deadline``: whoever asked may come again at once. A shadow takes as long, and has nothing
        to get back."""
        if self.queue is None:
            return
        for decision in decisions:
            ticket = Ticket.of(decision)
            charged = bool(ticket.reservation)
            if not charged:
                ticket = replace(ticket, reservation=random.randbytes(4))  # noqa: S311 - no secret
            self.queue.add(Failed(ticket, self._now(), charged=charged))
        await self.told()

    def verified(self, phone: Phone) -> None:
        """The app says that a code was entered for this number."""
        if self.queue is not None:
            self.queue.add(Verified((phone,), self._now()))

    def admitted(self, attempt: Attempt, flow: str | None) -> None:
        """A message went out, and the app knows its number by this flow."""
        if self.queue is not None:
            self.queue.admitted(attempt, flow, self._now())

    def not_understood(self, what: Misunderstood, why: str) -> None:
        """A code was entered, and what became of it was not understood."""
        if self.queue is not None:
            self.queue.not_understood(what, why, self._now())

    def code_entered(
        self, phones: tuple[Phone, ...], flow: str | None, *, another: bool = False
    ) -> None:
        """A right code was entered for the flow's number, or for one of these; ``another`` than the
        one that was right before."""
        if self.queue is not None:
            self.queue.add(Verified(phones, self._now(), flow, only_open=True, another=another))

    async def told(self) -> None:
        """Wait until the store knows all outcomes so far, for as long as a decision may take."""
        if self.queue is not None:
            await self.queue.delivered(self._within)

    async def settled(self) -> None:
        """Wait until the store knows all outcomes so far, or does not answer."""
        if self.queue is not None:
            await self.queue.delivered(now=True)

    async def close(self) -> None:
        """Tell the store all outcomes, now or never."""
        if self.queue is not None:
            await self.queue.close()

    def _now(self) -> float | None:
        return None if self._clock is None else self._clock()
