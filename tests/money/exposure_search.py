"""Searches for an hour or a day in which a policy lets through more than its exposure.

Each example is a random small policy and a random, greedy attacker: bursts of concurrent requests
at the edges of the policy's own windows, over a handful of numbers and networks, proved or not.

    python -m tests.money.exposure_search --examples 100000
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from functools import cache
from math import isfinite
from random import Random
from typing import Any, cast

from starlette.datastructures import Headers

from pumpguard import Guard, Policy
from pumpguard.attempt import Attempt, Client, Phone
from pumpguard.counters import Spend
from pumpguard.decision import Decision
from pumpguard.intake.network import UnknownNetworks
from pumpguard.money.exposure import DAY, HOUR, Exposure, exposure
from pumpguard.store.memory import MemoryStore
from tests.money.random_policies import REGIONS, Declares, random_client, random_phone, random_rule

START = 1_700_000_000.0


@dataclass
class Example:
    """A policy, what its exposure is, and an attacker within the stated resources."""

    policy: Policy
    networks: int | None
    numbers: int | None
    phones: Sequence[Phone]
    clients: Sequence[Client]
    bound: Exposure
    admitted: list[tuple[float, float, str]] = field(default_factory=list)
    """When, for how much, and where to."""


def example(random: Random) -> Example:
    """A small policy and an attacker's resources."""
    rules = [random_rule(random, i, spends()) for i in range(random.randint(1, 4))]
    prices = {region: random.choice([0.01, 0.0500001, 0.3, 0.0000015]) for region in REGIONS}
    policy = Policy(send="/s", rules=rules, price_overrides=prices)
    phones = [random_phone(random) for _ in range(random.randint(1, 8))]
    clients = [random_client(random, i) for i in range(random.randint(1, 4))]
    networks = random.choice([None, len({client.network for client in clients})])
    numbers = random.choice([None, len({phone.e164 for phone in phones})])
    bound = exposure(policy, networks=networks, numbers=numbers, countries=REGIONS)
    return Example(policy, networks, numbers, phones, clients, bound)


async def attack(case: Example, random: Random, steps: int = 8) -> None:
    """Bursts of concurrent requests, at moments at which windows may have room again."""
    store = MemoryStore()
    guard = Guard(
        case.policy, store, clock=lambda: now, networks=UnknownNetworks(), challenge=Sold()
    )
    table = case.policy.price_table
    now = START + random.uniform(0, 86_400)
    edges = [c.seconds for c in _declared(case.policy)] or [3600]
    for _ in range(steps):
        wait = random.choice([0, 1, *edges, random.choice(edges) * 0.9, random.choice(edges) / 10])
        now += wait + random.choice([-0.001, 0, 0, 0.001]) if wait else 0
        proved = random.random() < 0.8
        phone = random.choice(case.phones)
        attempts = [
            Attempt(
                phone if random.random() < 0.5 else random.choice(case.phones),
                random.choice(case.clients),
                now,
                session=random.choice([None, "s"]),
                proved=proved,
            )
            for _ in range(random.randint(1, 10))
        ]
        priced = [_priced(attempt, table.price(attempt.phone.region)) for attempt in attempts]
        decisions = await asyncio.gather(*map(guard.decide, priced))
        case.admitted += [
            (now, d.attempt.price or 0.0, d.attempt.phone.region or "")
            for d in decisions
            if d.allowed
        ]


def worst(case: Example) -> list[tuple[str, float, float]]:
    """Per bound: its name, the most that was spent in any time of its length, and the bound."""
    found = []
    for seconds, of in ((HOUR, "hour"), (DAY, "day")):
        total = getattr(case.bound, of).usd
        found.append((f"total per {of}", _most(case.admitted, seconds), total))
        for country in case.bound.countries:
            here = [hit for hit in case.admitted if hit[2] == country.country]
            limit = getattr(country, of).usd
            found.append((f"{country.country} per {of}", _most(here, seconds), limit))
    return found


async def run(seed: int) -> list[tuple[str, float, float]]:
    """One example from its seed; raises `AssertionError` if a bound does not hold."""
    random = Random(seed)
    case = example(random)
    await attack(case, random)
    found = worst(case)
    for name, spent, bound in found:
        assert spent <= bound + 1e-9, f"seed {seed}: {name}: ${spent} > ${bound}: {case.policy}"
    return found


def _most(hits: Sequence[tuple[float, float, str]], seconds: int) -> float:
    """The most in any (t - seconds, t]; stores keep whole milliseconds."""
    most = spent = 0.0
    first = 0
    for at, price, _ in hits:
        spent += price
        while int(hits[first][0] * 1000) <= int(at * 1000) - seconds * 1000:
            spent -= hits[first][1]
            first += 1
        most = max(most, spent)
    return most


def _priced(attempt: Attempt, price: float) -> Attempt:
    return Attempt(
        attempt.phone, attempt.client, attempt.at, price, attempt.session, proved=attempt.proved
    )


def _declared(policy: Policy) -> list[Any]:
    attempt = Attempt(Phone("+12000000000", "US", 1), proved=True)
    return [c for rule in policy.chain for c in rule.counters(attempt) if hasattr(c, "seconds")]


class Sold:
    """Attempts here say themselves whether a challenge was solved."""

    def solved(self, headers: Headers) -> bool:
        """Never asked."""
        return False


@cache
def spends() -> bool:
    """Whether the guard and the store at hand know `Spend` already."""
    rule = Declares("spend", (Spend("spend", "everything", 1_500_000, 60),))
    guard = Guard(Policy(send="/s", rules=[rule]), MemoryStore(), networks=UnknownNetworks())
    attempt = Attempt(Phone("+12000000000", "US", 1), at=START, price=1.0)
    try:
        first, second = (_now(guard.decide(attempt)).allowed for _ in range(2))
    except NotImplementedError:
        return False
    return (first, second) == (True, False)


def _now(decision: Coroutine[Any, Any, Decision]) -> Decision:
    """What a coroutine returns that waits for nothing, as with a store in memory."""
    try:
        decision.send(None)
    except StopIteration as done:
        return cast(Decision, done.value)
    raise RuntimeError("it waits")


async def search(seeds: range) -> str:
    """Run many examples and say how close they came."""
    began, bounded, reached, checks = time.perf_counter(), 0, 0, 0
    for seed in seeds:
        found = await run(seed)
        finite = [(spent, bound) for _, spent, bound in found if isfinite(bound)]
        checks += len(finite)
        bounded += isfinite(found[0][2])
        reached += any(spent >= bound * 0.999 and spent > 0 for spent, bound in finite)
    took = time.perf_counter() - began
    return (
        f"{len(seeds):,} policies × interleavings in {took:.0f} s: no bound exceeded; "
        f"{bounded:,} had a bound per hour, {checks:,} bounds were checked, and in {reached:,} "
        f"examples one was reached"
    )


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    said = asyncio.run(search(range(args.seed, args.seed + args.examples)))
    print(f"{said} (spend in the search: {'yes' if spends() else 'no'})")


if __name__ == "__main__":
    main()
