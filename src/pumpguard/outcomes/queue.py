"""Outcomes on their way to the store: queued by the app, told behind the reply."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeVar

from pumpguard.attempt import Attempt, Phone
from pumpguard.counters import Counter
from pumpguard.counters.plan import Plan
from pumpguard.errors import StoreError
from pumpguard.outcomes.counters import OutcomeCounters
from pumpguard.outcomes.delays import Delays
from pumpguard.outcomes.ticket import Ticket
from pumpguard.rules.base import Rule
from pumpguard.store.base import Open, Outcome, Redeemed, Redemption, Settlement, Store, Subject

T = TypeVar("T")

BATCH = 16
"""Outcomes that are told in one trip."""

CAPACITY = 10_000
"""Outcomes that wait at most; when the store is away for long, the oldest are forgotten."""

logger = logging.getLogger("pumpguard")


@dataclass(frozen=True, slots=True)
class Failed:
    """A message that was not sent, or that was sent (and is paid for) to a number nobody has."""

    ticket: Ticket
    at: float | None
    outcome: Literal["failed", "unallocated"] = "failed"


@dataclass(frozen=True, slots=True)
class Verified:
    """A number was verified."""

    phone: Phone
    at: float | None


class OutcomeQueue:
    """Outcomes that the store has not been told yet.

    They are queued at once and delivered in batches by a task of the event loop, whose trips share
    their writes with those of decisions. What is lost (a crash, a store that is away) was a
    chance to be more generous: the guard is only stricter for it.
    """

    def __init__(self, rules: Sequence[Rule], counters: OutcomeCounters, store: Store) -> None:
        self.delays = Delays()
        self.lost = 0
        self.waiting: deque[Failed | Verified] = deque(maxlen=CAPACITY)
        self._rules = rules
        self._counters = counters
        self._store = store
        self._task: asyncio.Task[None] | None = None

    def add(self, outcome: Failed | Verified) -> None:
        """Queue an outcome. From outside an event loop it waits for the next decision in one."""
        self.lost += len(self.waiting) == CAPACITY
        self.waiting.append(outcome)
        self.deliver()

    def deliver(self) -> None:
        """See to it that somebody empties the queue."""
        task = self._task
        if not self.waiting or (task and not task.done() and not task.get_loop().is_closed()):
            return
        try:
            self._task = asyncio.get_running_loop().create_task(self._empty())
        except RuntimeError:  # no event loop here
            return

    async def delivered(self) -> None:
        """Wait until all that was queued has been told or lost."""
        self.deliver()
        task = self._task
        if task is not None and task.get_loop() is asyncio.get_running_loop():
            await asyncio.wait({task})

    async def _empty(self) -> None:
        while self.waiting:
            taken = [self.waiting.popleft() for _ in range(min(BATCH, len(self.waiting)))]
            settlements: list[Settlement] = []
            for outcome in taken:
                settlements += await self._guarded(self._settlements(outcome), [])
            for first in range(0, len(settlements), BATCH):
                await self._guarded(self._store.settle(settlements[first : first + BATCH]), 0)

    async def _guarded(self, work: Awaitable[T], otherwise: T) -> T:
        try:
            return await work
        except StoreError as error:
            self.lost += 1
            logger.debug("an outcome was lost: %s", error)
        except Exception:
            self.lost += 1
            logger.exception("PG023 could not record a message outcome; it is lost")
        return otherwise

    async def _settlements(self, outcome: Failed | Verified) -> list[Settlement]:
        if isinstance(outcome, Failed):
            return [self._failure(outcome)]
        phone = outcome.phone
        redemption = Redemption(
            phone.e164,
            self._counters.known,
            self._counters.tickets,
            str(phone.calling_code),
            outcome.at,
        )
        redeemed = await self._store.redeem(redemption)
        return [
            self._verification(outcome, redeemed, ticket, newest=not i)
            for i, ticket in enumerate(redeemed.tickets)
        ]

    def _failure(self, outcome: Failed) -> Settlement:
        attempt = outcome.ticket.attempt
        told = self._declared(attempt, outcome.outcome)
        if outcome.outcome == "failed":
            told.append(self._counters.refunds)
        plan, subjects = _asked(told, attempt.subject)
        return Settlement(
            plan,
            subjects,
            outcome.outcome,
            ticket=outcome.ticket.reservation,
            calling_code=str(attempt.phone.calling_code),
            at=outcome.at,
        )

    def _verification(
        self, outcome: Verified, redeemed: Redeemed, ticket: Open, *, newest: bool
    ) -> Settlement:
        attempt = Attempt(outcome.phone)
        remembered = dict(zip(self._counters.tickets.remembers, ticket.remembered, strict=False))

        def subject(by: str) -> Subject | None:
            return remembered[by] if by in remembered else attempt.subject(by)

        plan, subjects = _asked(self._declared(attempt, "verified"), subject)
        age = max(0, redeemed.at - ticket.at)
        if newest:
            self.delays.add(age)
        return Settlement(
            plan,
            subjects,
            "verified" if newest and redeemed.counts else "repeated",
            ticket=ticket.ticket,
            price=ticket.price,
            sent_at=ticket.at,
            age=age,
            network=remembered.get("network"),
            last4=int(outcome.phone.e164[-4:]),
            calling_code=str(outcome.phone.calling_code),
            at=outcome.at,
        )

    def _declared(self, attempt: Attempt, outcome: Outcome) -> list[Counter]:
        """What is counted for this attempt and is told of such outcomes; a sum with several limits
        once."""
        found: dict[str, Counter] = {}
        by_rules = [counter for rule in self._rules for counter in rule.counters(attempt)]
        for counter in (*by_rules, *self._counters.asked):
            if outcome in counter.told_of:
                found.setdefault(counter.identity(), counter)
        return list(found.values())


def _asked(
    counters: Sequence[Counter], subject: Callable[[str], Subject | None]
) -> tuple[Plan, tuple[Subject, ...]]:
    """A plan of those counters that have a subject, and the subjects."""
    known = tuple(counter for counter in counters if subject(counter.by) is not None)
    plan = _plan(known)
    return plan, tuple(found for by in plan.groups if (found := subject(by)) is not None)


@lru_cache(maxsize=1_024)
def _plan(counters: tuple[Counter, ...]) -> Plan:
    return Plan(counters, [False] * len(counters))
