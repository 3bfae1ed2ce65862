"""Plays a journal through a policy: on the clock of its times, over memory, one entry at a time."""

from __future__ import annotations

import json
from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from pumpguard.attempt import Phone, micros
from pumpguard.decision import Action, Decision
from pumpguard.guard import Guard
from pumpguard.policy import Policy
from pumpguard.replay.journal import ANSWERED_WITHIN, Journal, Played
from pumpguard.replay.own_events import Again, own_attempt
from pumpguard.rules.hold_out import HELD_OUT
from pumpguard.store.memory import MemoryStore
from pumpguard.testing import SimulatedHuman

ROOM = 50_000, 300_000
"""Messages that the store has room for: at least, and at most (370 MB)."""

NOBODY = Phone("+9990000000", None, 999, valid=False)
"""Stands for the number that a request of an access log was for. No rule looks at it."""

ALLOWED, ASKED, REFUSED = range(3)


@dataclass
class Sum:
    """Messages and micro-dollars."""

    messages: int = 0
    micros: int = 0

    def add(self, price: int) -> None:
        self.messages += 1
        self.micros += price

    @property
    def usd(self) -> float:
        return self.micros / 1e6


@dataclass
class Customers:
    """Those who entered a code: all, those who would have been asked for proof, and those who would
    have had no message to take it from."""

    all: int = 0
    asked: int = 0
    refused: int = 0


@dataclass
class HeldOut:
    """What went out though rules would have refused it: how often, for how much, and for which
    numbers, each on its day, with whether a code was entered."""

    sum: Sum = field(default_factory=Sum)
    numbers: dict[tuple[str, str], bool] = field(default_factory=dict)

    @property
    def verified(self) -> int:
        """For how many of the numbers a code was entered."""
        return sum(self.numbers.values())

    def add(self, number: tuple[str, str], price: int, verified: bool) -> None:
        self.sum.add(price)
        self.numbers[number] = self.numbers.get(number, False) or verified


@dataclass
class Visit:
    """Somebody who will enter a code: since when, and what became of his requests."""

    at: float
    country: str
    allowed: bool = False
    asked: bool = False


@dataclass
class Tally:
    """What a policy made of a journal. ``by_rule`` are the refusals of each rule, ``verdicts`` one
    of `ALLOWED`, `ASKED` and `REFUSED` for each entry."""

    policy: Policy
    without: dict[str, Sum] = field(default_factory=lambda: defaultdict(Sum))
    with_guard: dict[str, Sum] = field(default_factory=lambda: defaultdict(Sum))
    by_rule: dict[str, Sum] = field(default_factory=lambda: defaultdict(Sum))
    customers: Customers = field(default_factory=Customers)
    by_country: dict[str, Customers] = field(default_factory=lambda: defaultdict(Customers))
    verdicts: array[int] = field(default_factory=lambda: array("b"))
    held_out: HeldOut = field(default_factory=HeldOut)
    faults: Counter[str] = field(default_factory=Counter)
    again: Again = field(default_factory=Again)
    _visits: dict[str, Visit] = field(default_factory=dict)

    def entered(self, entry: Played) -> None:
        """A code was entered: whose, and could it have been?"""
        visit = self._visits.pop(entry.phone, None)
        self.verdicts.append(ALLOWED)
        if visit is None or visit.at < entry.at - ANSWERED_WITHIN:
            return  # the log has no message for it
        for each in (self.customers, self.by_country[visit.country]):
            each.all += 1
            each.asked += visit.asked
            each.refused += not visit.allowed

    def add(self, entry: Played, decision: Decision, asked: bool) -> None:
        price = micros(decision.attempt.price or 0.0)
        day = f"{datetime.fromtimestamp(entry.at, UTC):%Y-%m-%d}"
        if entry.sent:
            self.without[day].add(price)
        if decision.allowed and entry.sent:
            self.with_guard[day].add(price)
        if decision.allowed_because == HELD_OUT:
            self.held_out.add((entry.phone, day), price, entry.verified)
        if decision.finding is not None and entry.sent:
            self.by_rule[decision.finding.rule].add(price)
        self.verdicts.append(REFUSED if not decision.allowed else ASKED if asked else ALLOWED)
        if entry.verified:
            visit = self._visits.get(entry.phone)
            if visit is None or visit.at < entry.at - ANSWERED_WITHIN:
                country = decision.attempt.phone.region or "unknown"
                visit = self._visits[entry.phone] = Visit(entry.at, country)
            visit.allowed |= decision.allowed
            visit.asked |= asked


async def play(
    journal: Journal,
    policy: Policy,
    *,
    challenge: bool = False,
    watch: Callable[[int], None] = lambda number: None,
    explain: Iterable[int] = (),
) -> tuple[Tally, dict[int, str]]:
    """Decide about every message, in order; also the explanations of the entries ``explain``.

    With ``challenge`` the app can ask for proof: whoever entered a code gives it, nobody else does.
    Events of our own say who gave it, and each decision is compared with theirs.
    Nobody comes again after a refusal but as the log says.
    """
    now = [journal.first]
    clock: Callable[[], float] = lambda: now[0]  # noqa: E731 - a clock that is set
    room = min(max(journal.messages, ROOM[0]), ROOM[1])
    store = MemoryStore(room, clock)
    human = SimulatedHuman() if challenge or journal.asks else None
    guard = Guard(policy, store, clock=clock, challenge=human)
    tally, explained, wanted = Tally(policy), {}, frozenset(explain)
    sent = LastSent()
    try:
        for entry in journal.whole():
            now[0] = max(now[0], entry.at)
            if entry.outcome is not None:
                if (failed := sent.pop(entry.phone)) is not None:
                    guard.settle(failed, entry.outcome)
                    await guard.reports.told()
            elif entry.is_verification:
                guard.verified(entry.phone)
                await guard.reports.told()
                tally.entered(entry)
            else:
                decision, asked = await _decided(guard, entry, tally.again)
                if entry.event:
                    sent.add(decision)
                tally.faults["decided without the store"] += decision.degraded
                tally.add(entry, decision, asked)
                if entry.number in wanted:
                    explained[entry.number] = decision.explain()
                if decision.allowed and not entry.sent:
                    guard.reports.not_sent(decision)
                    await guard.reports.told()
            if entry.number % 1_000 == 0:
                watch(entry.number)
    finally:
        await guard.aclose()
    return tally, explained


class LastSent:
    """The messages of our own that may still fail: an event names the number alone, so it is taken
    for the newest one to it."""

    def __init__(self) -> None:
        self._by_number: dict[str, list[Decision]] = {}

    def add(self, decision: Decision) -> None:
        if decision.allowed:
            self._by_number.setdefault(decision.attempt.phone.e164, []).append(decision)
            if len(self._by_number) > ROOM[0]:
                del self._by_number[next(iter(self._by_number))]

    def pop(self, phone: str) -> Decision | None:
        found = self._by_number.get(phone)
        return found.pop() if found else None


async def _decided(guard: Guard, entry: Played, again: Again) -> tuple[Decision, bool]:
    """The decision, and whether proof was asked for first. One of our own events is compared with
    theirs; whoever was asked then has come again by himself."""
    facts: dict[str, Any] | None = None
    if entry.event:
        facts = json.loads(entry.event)
        attempt = own_attempt(facts, entry.at, entry.phone, entry.address, entry.price)
        if guard.held_out is not None:
            was_drawn = facts["told"][2] == HELD_OUT  # the draw itself is nobody's to know
            guard.held_out.drawn = lambda attempt: was_drawn
    else:
        phone = guard.reader.phone(entry.phone) if entry.phone else NOBODY
        attempt = guard.reader.attempt(phone, entry.address, session=entry.session)
        if entry.price is not None or phone is NOBODY:
            attempt = replace(attempt, price=entry.price or 0.0)
    decision = await guard.decide(attempt)
    if facts is not None:
        again.add(facts, entry.at, decision)
    asked = decision.action is Action.CHALLENGE
    comes_again = facts is None or facts["told"][0] != "challenge"
    if asked and comes_again and entry.verified and guard.challenge is not None:
        solved = f"replayed {entry.number}"
        decision = await guard.decide(replace(attempt, proved=True, solution=solved))
    return decision, asked
