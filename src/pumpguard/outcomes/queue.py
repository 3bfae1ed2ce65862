"""Outcomes on their way to the store: queued by the app, told behind the reply."""

from __future__ import annotations

import asyncio
import logging
from bisect import bisect_left
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeVar

from pumpguard.attempt import Attempt, Phone
from pumpguard.counters import Counter, Spend, Unsent
from pumpguard.counters.plan import Plan
from pumpguard.errors import StoreError
from pumpguard.outcomes import OutcomeCounters, Ticket
from pumpguard.rules.base import Rule
from pumpguard.store.base import Open, Outcome, Redeemed, Redemption, Settlement, Store, Subject

T = TypeVar("T")

BATCH = 16
"""Outcomes that are told in one trip."""

CAPACITY = 10_000
"""Outcomes that wait at most; when the store is away for long, the oldest are forgotten."""

ENOUGH = 50
"""Verifications before anything is said of how long they take."""

HALVED_AT = 2_000
QUANTILE = 0.95
PATIENCE = 2.0
"""A send is given up after so many times what nearly all verifications take."""

SHORTEST_MS = 60_000
EDGES_MS = tuple(round(1_000 * 1.25**step) for step in range(33))
"""From 1 s to 21 minutes, each a quarter longer than the one before."""

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


class Delays:
    """A histogram of the time from sending to verifying; old ones count less and less.

    ``matures_after`` is the age in milliseconds after which an unverified send will hardly be
    verified any more, or ``None`` while too little is known.

    People take 13.5 s in the median and code lifetimes are minutes, so a fixed age at which a send
    speaks against its range is either slow or unjust where messages take long to arrive.
    """

    def __init__(self) -> None:
        self.matures_after: int | None = None
        self._counts = [0] * (len(EDGES_MS) + 1)
        self._total = 0

    def add(self, milliseconds: int) -> None:
        """A message was verified at this age."""
        self._counts[bisect_left(EDGES_MS, milliseconds)] += 1
        self._total += 1
        if self._total >= HALVED_AT:
            self._counts = [count // 2 for count in self._counts]
            self._total = sum(self._counts)
        self.matures_after = self._matures_after()

    def _matures_after(self) -> int | None:
        left = QUANTILE * self._total
        for edge, count in zip(EDGES_MS, self._counts, strict=False):
            left -= count
            if self._total >= ENOUGH and left <= 0:
                return max(SHORTEST_MS, round(PATIENCE * edge))
        return None


class OutcomeQueue:
    """Outcomes that the store has not been told yet.

    They are queued at once and delivered in batches by a task of the event loop. What is lost (a
    crash, a store that is away) makes the guard only stricter.
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
        """Start the task that empties the queue, unless it runs."""
        task = self._task
        if not self.waiting or (task and not task.done() and not task.get_loop().is_closed()):
            return
        try:
            self._task = asyncio.get_running_loop().create_task(self._empty())
        except RuntimeError:  # no event loop here
            return

    async def delivered(self, within: float | None = None) -> None:
        """Wait until all that was queued has been told or lost, or for so many seconds."""
        self.deliver()
        task = self._task
        if task and not task.done() and task.get_loop() is asyncio.get_running_loop():
            await asyncio.wait({task}, timeout=within)

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
            logger.debug("an outcome was lost: %s", error)
        except Exception:
            logger.exception("PG023 could not record a message outcome; it is lost")
        self.lost += 1
        return otherwise

    async def _settlements(self, outcome: Failed | Verified) -> list[Settlement]:
        if isinstance(outcome, Failed):
            return [self._failure(outcome)]
        phone = outcome.phone
        known, tickets = self._counters.known, self._counters.tickets
        redeemed = await self._store.redeem(
            Redemption(phone.e164, known, tickets, str(phone.calling_code), outcome.at)
        )
        return [
            self._verification(outcome, redeemed, ticket, newest=not i)
            for i, ticket in enumerate(redeemed.tickets)
        ]

    def _failure(self, outcome: Failed) -> Settlement:
        ticket, attempt = outcome.ticket, outcome.ticket.attempt
        counters = self._told_of(outcome.outcome, attempt)
        if outcome.outcome == "failed":
            counters = [c for c in counters if c.rule not in ticket.full or isinstance(c, Spend)]
            capped = [c for c in counters if isinstance(c, Unsent) and attempt.subject(c.by)]
            if not capped:
                by_network, by_number = self._counters.unsent
                counters.append(by_network if attempt.client.network else by_number)
            counters.append(self._counters.refunds)
        plan, subjects = _plan_for(counters, attempt.subject)
        return Settlement(
            plan, subjects, outcome.outcome, ticket=ticket.reservation,
            last4=int(attempt.phone.e164[-4:]),
            calling_code=str(attempt.phone.calling_code), at=outcome.at,
        )  # fmt: skip

    def _verification(
        self, outcome: Verified, redeemed: Redeemed, ticket: Open, *, newest: bool
    ) -> Settlement:
        attempt = Attempt(outcome.phone)
        remembered = dict(zip(self._counters.tickets.remembers, ticket.remembered, strict=False))

        def subject(by: str) -> Subject | None:
            return remembered[by] if by in remembered else attempt.subject(by)

        plan, subjects = _plan_for(self._told_of("verified", attempt), subject)
        age = max(0, redeemed.at - ticket.at)
        if newest:
            self.delays.add(age)
        return Settlement(
            plan, subjects, "verified" if newest and redeemed.counts else "repeated",
            ticket=ticket.ticket, price=ticket.price, sent_at=ticket.at, age=age,
            network=remembered.get("network"), last4=int(outcome.phone.e164[-4:]),
            calling_code=str(outcome.phone.calling_code), at=outcome.at,
        )  # fmt: skip

    def _told_of(self, outcome: Outcome, attempt: Attempt) -> list[Counter]:
        """This attempt's counters that have to know of such outcomes; a sum with several limits
        once."""
        found: dict[str, Counter] = {}
        by_rules = [counter for rule in self._rules for counter in rule.counters(attempt)]
        for counter in (*by_rules, *self._counters.asked):
            if counter.hears(outcome):
                found.setdefault(counter.identity(), counter)
        return list(found.values())


def _plan_for(
    counters: Sequence[Counter], subject: Callable[[str], Subject | None]
) -> tuple[Plan, tuple[Subject, ...]]:
    """A plan of those counters that have a subject, and the subjects."""
    known = tuple(counter for counter in counters if subject(counter.by) is not None)
    plan = _plan(known)
    return plan, tuple(found for by in plan.groups if (found := subject(by)) is not None)


@lru_cache(maxsize=1_024)
def _plan(counters: tuple[Counter, ...]) -> Plan:
    return Plan(counters, [False] * len(counters))
