"""What outcomes there are, and what they mean to the store: what it is asked and told, and which
counters hear of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Literal, TypeAlias

from pumpguard.attempt import Attempt, Phone
from pumpguard.counters import Counter, Spend, Unsent
from pumpguard.counters.plan import Plan
from pumpguard.errors import StoreError
from pumpguard.intake.phone import canonical
from pumpguard.listeners import Became, Listeners
from pumpguard.observations import Observations
from pumpguard.outcomes import OutcomeCounters, Ticket
from pumpguard.outcomes.delays import Delays
from pumpguard.rules.base import Rule
from pumpguard.store.base import Open, Outcome, Redeemed, Redemption, Settlement, Store, Subject

FLOW, HEARD = "flow ", "heard"
"""Under which names the store keeps numbers by their flow, and that verifications are heard."""

HEARD_FOR, HEARD_LATELY, NOTED_EVERY = 400 * 86_400, 86_400, 60
"""Seconds: how long it is known when a process has last heard one (the most that a store keeps
anything), after which time that is said, and how often it is noted."""

COMBINATIONS = 1_024
"""How many different combinations of counters are remembered; far more than a policy has."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A message that was not sent, or that was sent (and is paid for) to a number nobody has. One
    that was never ``charged`` is a shadow's, and told for its time alone."""

    ticket: Ticket
    at: float | None
    outcome: Literal["failed", "unallocated"] = "failed"
    charged: bool = True


@dataclass(frozen=True, slots=True)
class Verified:
    """A number was verified: that of the ``flow``, if one is known by it, else the first of
    ``phones`` that a message is open to. With ``only_open`` it counts only if there is one: so
    does what was seen of an answer; what the app says counts always. ``another``: by
    another code than the one that was right before."""

    phones: tuple[Phone, ...]
    at: float | None
    flow: str | None = None
    only_open: bool = False
    another: bool = False


@dataclass(frozen=True, slots=True)
class Flow:
    """The app will know a number by this."""

    flow: str
    phone: Phone
    at: float | None


@dataclass(frozen=True, slots=True)
class Listen:
    """Has any process ever heard a verification?"""

    at: float | None


QueuedOutcome: TypeAlias = Failed | Verified | Flow | Listen


class Teller:
    """Turns outcomes into what the store is asked and told."""

    def __init__(
        self,
        rules: Sequence[Rule],
        counters: OutcomeCounters,
        store: Store,
        observations: Observations,
        listeners: Listeners,
    ) -> None:
        self._listeners = listeners
        self.delays = Delays()
        self._rules = rules
        self._counters = counters
        self.store = store
        self.observations, self._hearing = observations, observations.hearing
        self._noted_heard = 0.0
        self._heard = heard_by(counters.tickets.rule.rpartition(".")[0])
        self._told: dict[object, tuple[list[Sequence[Counter]], list[Counter]]] = {}

    async def settlements(self, outcome: QueuedOutcome) -> list[Settlement]:
        """Ask the store what an outcome is about; what is to be told then. May be asked again as
        long as nobody has got its settlements. Raises `StoreError`."""
        match outcome:
            case Failed():
                self._tell_listeners(outcome)
                return [self._failure(outcome)]
            case Verified():
                return await self._verifications(outcome)
            case Flow(flow, phone, at):
                seconds = self._counters.tickets.seconds
                await self.store.remember(FLOW + flow, phone.e164, seconds, at)
            case Listen(at):
                last = await self.store.recall(self._heard, at)
                now = time.time() if at is None else at
                if last is not None and now - float(last) < HEARD_LATELY:
                    self._hearing.hear()
                else:
                    self._hearing.fall_silent(ever_heard=last is not None)
        return []

    async def _verifications(self, outcome: Verified) -> list[Settlement]:
        phones = outcome.phones
        if outcome.flow is not None:
            e164 = await self.store.recall(FLOW + outcome.flow, outcome.at)
            phones = phones if e164 is None else (canonical(e164),)
        if not phones:
            why = "no message is known by its flow; is flow= what the app knows the number by?"
            self._hearing.not_understood("flow", why)
            return []
        if outcome.only_open:
            phones = tuple(phone for phone in phones if self._hearing.believes(phone))
            if not phones:
                return []
        for phone in phones:
            redeemed = await self._redeem(phone, outcome)
            if redeemed.tickets:
                break
        if outcome.only_open or redeemed.tickets:
            self._hearing.verified(is_open=bool(redeemed.tickets), another=outcome.another)
        now = redeemed.at / 1000
        if redeemed.tickets and now - self._noted_heard >= NOTED_EVERY:
            with suppress(StoreError):  # the next one is soon enough, and these tickets are taken
                await self.store.remember(self._heard, str(int(now)), HEARD_FOR, outcome.at)
                self._noted_heard = now
        if self._listeners and (redeemed.tickets or not outcome.only_open):
            usd, at = sum(ticket.price for ticket in redeemed.tickets) / 1e6, redeemed.at / 1e3
            self._listeners.outcome(Became(phone, "verified", at, len(redeemed.tickets), usd))
        return [
            self._verification(phone, outcome.at, redeemed, ticket, newest=not i)
            for i, ticket in enumerate(redeemed.tickets)
        ]

    async def _redeem(self, phone: Phone, outcome: Verified) -> Redeemed:
        redemption = Redemption(
            phone.e164, self._counters.known, self._counters.tickets, str(phone.calling_code),
            outcome.at, only_open=outcome.only_open,
        )  # fmt: skip
        return await self.store.redeem(redemption)

    def _tell_listeners(self, failed: Failed) -> None:
        if self._listeners and failed.charged:
            attempt = failed.ticket.attempt
            at = time.time() if failed.at is None else failed.at
            became = Became(attempt.phone, failed.outcome, at, 1, attempt.price or 0.0, attempt)
            self._listeners.outcome(became)

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
        declared = [rule.counters(attempt) for rule in self._rules]
        # A rule returns the same tuple every time; what is remembered holds on to it, so that no
        # identity is used twice.
        key = (outcome, *map(id, declared))
        if key not in self._told:
            if len(self._told) >= COMBINATIONS:
                self._told.clear()
            found: dict[str, Counter] = {}
            for counter in (*chain.from_iterable(declared), *self._counters.asked):
                if counter.hears(outcome):
                    found.setdefault(counter.identity(), counter)
            self._told[key] = declared, list(found.values())
        return self._told[key][1]


def heard_by(use: str) -> str:
    """Under which name the store keeps when a guard of this use has last heard a verification: each
    has a route of its own for codes."""
    return f"{HEARD} {use}" if use else HEARD


def _plan_for(
    counters: Sequence[Counter], subject: Callable[[str], Subject | None]
) -> tuple[Plan, tuple[Subject, ...]]:
    """A plan of those counters that have a subject, and the subjects."""
    known = tuple(counter for counter in counters if subject(counter.by) is not None)
    plan = _plan(known)
    return plan, tuple(found for by in plan.groups if (found := subject(by)) is not None)


@lru_cache(maxsize=COMBINATIONS)
def _plan(counters: tuple[Counter, ...]) -> Plan:
    return Plan(counters, [False] * len(counters))
