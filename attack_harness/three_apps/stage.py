"""One simulated day in one of the apps: 4,000 people, and two attacks at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from examples.three_apps import form, graphql, pool
from pumpguard import Action, Attempt, Decision, Finding, Guard, Policy
from pumpguard.challenges import Challenge, Solution
from pumpguard.replies import OnRefusal
from pumpguard.testing import FakeClock

from ..actors import Log, draws
from ..attackers import Attack, CountrySpray, Family, Ground, ResidentialRotation
from ..run import play
from ..targets import AsgiApp, InProcess
from ..user import USERS, Outcome
from .aliases import FIELD, AliasFlood
from .crowd import people, starts
from .doors import PROOF, Door, FormDoor, GraphQLDoor, PoolDoor
from .provider import Provider

SIZE = 4_000
ATTACKS: tuple[Family, ...] = (
    ResidentialRotation(addresses=1_400),
    CountrySpray(seconds=1_500.0),
)
KNOWN = 0.05
"""The share of the attackers' numbers that the app knows for bad, and shadows by a rule of its
own."""


class TickBox(Challenge):
    """A challenge that people solve, and that programs buy."""

    carried_in = (PROOF,)

    def solved(self, said: str, attempt: Attempt) -> Solution:
        return Solution(said)

    def pose(self, decision: Decision) -> Mapping[str, object]:
        return {"kind": "tick", "field": PROOF}


@dataclass(frozen=True)
class Stage:
    """An app, its policy, how one uses it, and the share of its users who take e-mail."""

    policy: Policy
    app: Callable[[Provider, Guard], AsgiApp]
    door: type[Door]
    by_mail: float = 0.0
    attacks: tuple[Family, ...] = ATTACKS
    on_refusal: OnRefusal | None = None


STAGES = {
    "form": Stage(
        form.POLICY,
        lambda p, g: form.create_app(p.text, g),
        FormDoor,
        on_refusal=form.refused,
    ),
    "pool": Stage(pool.POLICY, lambda p, g: pool.create_app(p.twilio(), g), PoolDoor),
    "graphql": Stage(
        graphql.POLICY,
        lambda p, g: graphql.create_app(p.publish, p.mail, g),
        GraphQLDoor,
        by_mail=0.1,
        attacks=(*ATTACKS, AliasFlood()),
    ),
}


@dataclass(frozen=True)
class Day:
    """What a day came to."""

    outcomes: Sequence[Outcome]
    attacks: Sequence[Attack]
    log: Log
    provider: Provider
    shadows: frozenset[tuple[str, float]]
    """Number and time of each request that was decided to be a shadow."""
    seconds: float
    guard: Guard

    @property
    def refused(self) -> int:
        """People who ended without entering a code."""
        return sum(not outcome.verified for outcome in self.outcomes)

    @property
    def asked(self) -> int:
        """People who were asked for proof."""
        return sum(outcome.challenged for outcome in self.outcomes)

    @property
    def undefended(self) -> float:
        """USD that the attacks cost an app that sends whatever is asked for."""
        return sum(map(self.provider.price, self._wanted()))

    @property
    def attempted(self) -> int:
        """Messages that the attacks ask for, some of them many in one request."""
        return sum(1 for _ in self._wanted())

    def _wanted(self) -> Iterator[str]:
        for attack in self.attacks:
            for shot in attack.shots:
                yield shot.phone
                yield from (shot.typed or {}).get(FIELD, ())

    @property
    def lost(self) -> float:
        """USD of all messages that no user has asked for."""
        users = {(e.phone, e.at) for e in self.log.exchanges if e.side == USERS}
        ledger = self.provider.ledger
        return sum(each.price for each in ledger if (each.phone, each.at) not in users)

    @property
    def saved(self) -> float:
        """The share of the attacks' price that was not paid."""
        return 1 - self.lost / self.undefended

    @property
    def unseen(self) -> int:
        """Shadows that the app answered as if it had sent a message."""
        exchanges = self.log.exchanges
        return sum((e.phone, e.at) in self.shadows and 200 <= e.status < 300 for e in exchanges)

    @property
    def under_shadow(self) -> int:
        """Messages that went out although their request was a shadow."""
        return sum((each.phone, each.at) in self.shadows for each in self.provider.ledger)


async def day(
    name: str, seed: int = 1, size: int = SIZE, part: float = 1.0, store: str = "memory://"
) -> Day:
    """Play one; ``part`` shortens every attack to that part of its own."""
    stage, began = STAGES[name], time.process_time()
    users = people(seed, size, stage.by_mail)
    families = [family.shortened(part) for family in stage.attacks]
    planned = _planned(seed, families, frozenset(user.phone for user in users))
    rng = draws(seed, "known for bad")
    phones = sorted({phone for attack in planned for phone in attack.phones})
    bad = frozenset(phone for phone in phones if rng.random() < KNOWN)

    def known_fraud(attempt: Attempt) -> Finding | None:
        """A rule of the app's own."""
        is_known = attempt.phone.e164 in bad
        return Finding("known_fraud", Action.SHADOW, "KNOWN_FRAUD") if is_known else None

    shadows: set[tuple[str, float]] = set()

    def listen(decision: Decision) -> None:
        if decision.action is Action.SHADOW:
            shadows.add((decision.attempt.phone.e164, decision.attempt.at))

    clock = FakeClock()
    guard = Guard(
        replace(stage.policy, name=name, extra_rules=[known_fraud], deadline=10),
        store,
        clock=clock,
        challenge=TickBox(),
        on_decision=listen,
        on_refusal=stage.on_refusal,
    )
    provider = Provider(clock, seed)
    outcomes = [Outcome(user) for user in users]
    async with InProcess(stage.app(provider, guard)) as app:
        door = stage.door(app, clock, provider)
        cast = [*starts(seed, outcomes, door.typos)]
        for attack in planned:
            cast += attack.actors()
        log = await play(door, cast)
    seconds = time.process_time() - began
    return Day(outcomes, planned, log, provider, frozenset(shadows), seconds, guard)


def _planned(seed: int, families: Sequence[Family], people: frozenset[str]) -> list[Attack]:
    owned, found = set(people), list[Attack]()
    for family in families:
        ground = Ground(draws(seed, family.name), frozenset(owned), people)
        found.append(family.plan(ground))
        owned |= found[-1].phones
    return found
