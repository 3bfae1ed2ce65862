"""Outcomes on their way to the store: queued by the app, told behind the reply."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache
from typing import TypeVar

from pumpguard.attempt import Attempt, Phone
from pumpguard.counters import Counter, Spend, Unsent
from pumpguard.counters.plan import Plan
from pumpguard.errors import StoreError
from pumpguard.intake.phone import canonical
from pumpguard.observations import Misunderstood, Observations
from pumpguard.outcomes import OutcomeCounters
from pumpguard.outcomes.delays import Delays
from pumpguard.outcomes.news import Failed, Flow, Listen, QueuedOutcome, Verified
from pumpguard.rules.base import Rule
from pumpguard.store.base import Open, Outcome, Redeemed, Redemption, Settlement, Store, Subject

T = TypeVar("T")

BATCH = 16
"""Outcomes that are told in one trip."""

CAPACITY = 10_000
"""Outcomes that wait at most; when the store is away for long, the oldest are forgotten."""

FLOW, HEARD = "flow ", "heard"
"""Under which names the store keeps numbers by their flow, and that verifications are heard."""

HEARD_FOR = 30 * 86_400
"""Seconds, since the first verification that a process has heard."""

logger = logging.getLogger("pumpguard")


class OutcomeQueue:
    """Outcomes that the store has not been told yet.

    They are queued at once and delivered in batches by a task of the event loop. If that loop ends
    first, as where each request has its own, what it had taken is told by the next one. What is
    lost (a crash, a store that is away) makes the guard only stricter.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        counters: OutcomeCounters,
        store: Store,
        observations: Observations,
    ) -> None:
        self.delays = Delays()
        self.lost = 0
        self.waiting: deque[QueuedOutcome] = deque(maxlen=CAPACITY)
        self._taken: list[QueuedOutcome] = []
        self._observations = observations
        self._noted_heard = False
        self._rules = rules
        self._counters = counters
        self._store = store
        self._task: asyncio.Task[None] | None = None

    def add(self, outcome: QueuedOutcome) -> None:
        """Queue an outcome. From outside an event loop it waits for the next decision in one."""
        if len(self.waiting) == CAPACITY:
            self._lose("too many wait")
        self.waiting.append(outcome)
        self.deliver()

    def admitted(self, attempt: Attempt, flow: str | None, at: float | None) -> None:
        """A message went out, and the app knows its number by this flow."""
        if flow is not None:
            self.add(Flow(flow, attempt.phone, at))
        self._ask_around(attempt.at, at)

    def not_understood(self, what: Misunderstood, why: str, at: float | None) -> None:
        """A code was entered, and what became of it was not understood."""
        self._observations.not_understood(what, why)
        self._ask_around(time.time() if at is None else at, at)

    def _ask_around(self, now: float, at: float | None) -> None:
        """Ask the fleet whether anybody hears verifications, if this process has reason to."""
        if self._observations.suspects(now):
            self._observations.asked(now)
            self.add(Listen(at))

    def deliver(self) -> None:
        """Start the task that empties the queue, unless it runs in this loop or another."""
        if not self.waiting and not self._taken:
            return
        try:
            here = asyncio.get_running_loop()
        except RuntimeError:  # no event loop here
            return
        task = self._task
        if task is not None and not task.done():
            loop = task.get_loop()
            if loop is here or loop.is_running():
                return
        self._task = here.create_task(self._empty())

    async def delivered(self, within: float | None = None) -> None:
        """Wait until all that was queued has been told or lost, for so many seconds at most."""
        self.deliver()
        task = self._task
        if task and not task.done() and task.get_loop() is asyncio.get_running_loop():
            await asyncio.wait({task}, timeout=within)

    async def _empty(self) -> None:
        # What a loop that has ended since had taken.
        self.waiting.extendleft(reversed(self._taken))
        self._taken = []
        while self.waiting:
            taken = [self.waiting.popleft() for _ in range(min(BATCH, len(self.waiting)))]
            self._taken = taken
            settlements: list[Settlement] = []
            for outcome in taken:
                settlements += await self._guarded(self._settlements(outcome), [])
            for first in range(0, len(settlements), BATCH):
                await self._guarded(self._store.settle(settlements[first : first + BATCH]), 0)
            self._taken = []

    async def _guarded(self, work: Awaitable[T], otherwise: T) -> T:
        try:
            return await work
        except StoreError as error:
            logger.debug("an outcome was lost: %s", error)
            self._lose(str(error))
        except Exception as error:
            logger.exception("PG023 could not record a message outcome; it is lost")
            self._lose(type(error).__name__)
        return otherwise

    def _lose(self, reason: str) -> None:
        self.lost += 1
        self._observations.lost(reason)

    async def _settlements(self, outcome: QueuedOutcome) -> list[Settlement]:
        match outcome:
            case Failed():
                return [self._failure(outcome)]
            case Verified():
                return await self._verifications(outcome)
            case Flow(flow, phone, at):
                seconds = self._counters.tickets.seconds
                await self._store.remember(FLOW + flow, phone.e164, seconds, at)
            case Listen(at):
                if await self._store.recall(HEARD, at) is not None:
                    self._observations.hear()
                else:
                    self._observations.fall_silent()
        return []

    async def _verifications(self, outcome: Verified) -> list[Settlement]:
        phones = outcome.phones
        if outcome.flow is not None:
            e164 = await self._store.recall(FLOW + outcome.flow, outcome.at)
            phones = phones if e164 is None else (canonical(e164),)
        if not phones:
            why = "no message is known by its flow; is flow= what the app knows the number by?"
            self._observations.not_understood("flow", why)
            return []
        for phone in phones:
            redeemed = await self._redeem(phone, outcome)
            if redeemed.tickets:
                break
        if outcome.only_open or redeemed.tickets:
            self._observations.verified(is_open=bool(redeemed.tickets))
        if redeemed.tickets and not self._noted_heard:
            await self._store.remember(HEARD, "1", HEARD_FOR, outcome.at)
            self._noted_heard = True
        return [
            self._verification(phone, outcome.at, redeemed, ticket, newest=not i)
            for i, ticket in enumerate(redeemed.tickets)
        ]

    async def _redeem(self, phone: Phone, outcome: Verified) -> Redeemed:
        redemption = Redemption(
            phone.e164, self._counters.known, self._counters.tickets, str(phone.calling_code),
            outcome.at, only_open=outcome.only_open,
        )  # fmt: skip
        return await self._store.redeem(redemption)

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
        self, phone: Phone, at: float | None, redeemed: Redeemed, ticket: Open, *, newest: bool
    ) -> Settlement:
        attempt = Attempt(phone)
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
            network=remembered.get("network"), last4=int(phone.e164[-4:]),
            calling_code=str(phone.calling_code), at=at,
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
