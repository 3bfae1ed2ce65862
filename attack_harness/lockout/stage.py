"""A guard with the whole default policy, its users, and somebody who wants them refused.

Attempts are put to the guard itself, over memory and by a clock of the play, so a day of thousands
takes seconds. Everybody's address is in the country of their number.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Literal

from examples.target_app.protection import default_policy
from pumpguard import Action, Decision, Guard, Policy
from pumpguard.intake.network import UnknownNetworks
from pumpguard.testing import FakeClock, SimulatedHuman, make_attempt

from ..attackers.base import RESIDENTIAL_PROXY, SOLVED_CHALLENGE
from ..numbering import mobile_number

MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0

PATIENCE = 120.0
"""Seconds that somebody waits who is told how long; `attack_harness.user` has the same."""

TRIES = 4
"""How often somebody asks in all, challenges included."""

ENTERS, SOLVES = 0.85, 0.95
"""How many people enter their code, and solve a challenge when asked."""

Step = Callable[[], Awaitable[None]]
Told = Literal["served", "refused", "hidden"]


@dataclass
class Person:
    """Somebody who wants a code: what became of it, and whether proof was asked for."""

    phone: str
    address: str
    country: str
    customer: bool = False
    solves: bool = True
    enters: bool = True
    told: Told | None = None
    asked: bool = False
    tries: int = 0


@dataclass
class Bill:
    """What a spoiler has done, and what it cost: the app, and himself."""

    requests: int = 0
    messages: int = 0
    solutions: int = 0
    app: float = 0.0
    numbers: float = 0.0
    """USD for numbers of his own, to verify with."""

    @property
    def his(self) -> float:
        """USD that he has paid."""
        return self.requests * RESIDENTIAL_PROXY + self.solutions * SOLVED_CHALLENGE + self.numbers


@dataclass
class Stage:
    """Where a play happens. Steps are played in the order of their times."""

    seed: int = 1
    policy: Policy = field(default_factory=default_policy)
    bill: Bill = field(default_factory=Bill)
    people: list[Person] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.clock = FakeClock()
        self.guard = Guard(
            self.policy, clock=self.clock, challenge=SimulatedHuman(), networks=UnknownNetworks()
        )
        self.guard.observations.hearing.hear()  # an app that has users
        self._numbered = count()
        self._kept = False  # a solution, by the spoiler
        self._steps: list[tuple[float, int, Step]] = []

    @property
    def now(self) -> float:
        """Seconds of the play's time."""
        return self.clock.now

    def later(self, seconds: float, step: Step) -> None:
        """So much later this happens."""
        heapq.heappush(self._steps, (self.now + seconds, next(self._numbered), step))

    async def play(self, seconds: float) -> None:
        """All steps of the next so many seconds."""
        ends = self.now + seconds
        while self._steps and self._steps[0][0] <= ends:
            at, _, step = heapq.heappop(self._steps)
            self.clock.now = max(self.now, at)
            await step()
        self.clock.now = ends

    def address(self) -> str:
        """One that nobody has used before."""
        n = next(self._numbered)
        return f"11.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}"

    def number(self, country: str) -> str:
        """One of any of the country's mobile ranges."""
        return mobile_number(country, self.rng)

    def person(self, country: str) -> Person:
        """A stranger who will ask."""
        return Person(
            self.number(country), self.address(), country,
            solves=self.rng.random() < SOLVES, enters=self.rng.random() < ENTERS,
        )  # fmt: skip

    async def customer(self, country: str) -> Person:
        """Somebody who has verified from an address of their own."""
        person = Person(self.number(country), self.address(), country, customer=True)
        await self.verify(person)
        return person

    async def verify(self, person: Person) -> bool:
        """They are sent a code and enter it. Whether they were."""
        decision = await self.decide(person.phone, person.address, person.country, proved=True)
        if decision.allowed:
            self.clock.advance(20 + self.rng.random() * 15)
            self.guard.verified(person.phone)
            await self.guard.settled()
        return decision.allowed

    async def decide(
        self, phone: str, address: str, country: str, *, proved: bool = False
    ) -> Decision:
        """One request."""
        price = self.policy.price_table.price(country)
        attempt = make_attempt(
            phone, address, country=country, at=self.now, price=price, proved=proved
        )
        return await self.guard.assess(attempt)

    async def visit(self, person: Person, *, proved: bool = False) -> None:
        """They ask, solve what they are asked if they do such things, and wait if told to."""
        if not person.tries:
            self.people.append(person)
        person.tries += 1
        decision = await self.decide(person.phone, person.address, person.country, proved=proved)
        person.told = _told(decision)
        if decision.allowed:
            if person.enters:
                self.later(self.rng.lognormvariate(3.0, 0.5), lambda: self._enter(person))
            return
        if decision.action is Action.CHALLENGE:
            person.asked = True
            if person.solves and not proved:
                self.later(10.0, lambda: self.visit(person, proved=True))
        elif (
            decision.action is Action.THROTTLE
            and 0 < (decision.retry_after or 0) <= PATIENCE
            and person.tries < TRIES
        ):
            wait = (decision.retry_after or 0) + 1
            self.later(wait, lambda: self.visit(person, proved=proved))

    async def _enter(self, person: Person) -> None:
        self.guard.verified(person.phone)
        await self.guard.settled()

    async def spoil(self, phone: str, address: str, country: str, *, buys: bool = True) -> Decision:
        """The spoiler asks, and buys a solution if one is wanted and he does such things. One that
        was refused is not used up, and he keeps it."""
        decision = await self._billed(phone, address, country, proved=False)
        if decision.action is Action.CHALLENGE and buys:
            self.bill.solutions += not self._kept
            decision = await self._billed(phone, address, country, proved=True)
            self._kept = not decision.allowed
        return decision

    async def _billed(self, phone: str, address: str, country: str, *, proved: bool) -> Decision:
        decision = await self.decide(phone, address, country, proved=proved)
        self.bill.requests += 1
        if decision.allowed:
            self.bill.messages += 1
            self.bill.app += self.policy.price_table.price(country)
        return decision


def _told(decision: Decision) -> Told:
    if decision.allowed:
        return "served"
    return "hidden" if decision.action is Action.SHADOW else "refused"
