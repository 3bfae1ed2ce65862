"""Searches for an hour or a day in which a policy lets through more than its exposure.

Each example is a random small policy and a random, greedy attacker: bursts of concurrent requests
at the edges of the policy's own windows, over a handful of numbers and networks, proved or not.
Meanwhile he has messages fail, verifies them or does not, and what becomes of them is told late,
twice, in the wrong order, by other processes, or gets lost (`settlement_traffic`).

Whatever was let through counts as spent, but for what is said not to have been sent. Where budgets
alone bound it, that counts too: an app may say so of a message that its provider has sent.

    python -m tests.money.exposure_search --examples 100000
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite
from random import Random
from typing import Any, NamedTuple, TypeAlias

from pumpguard import Guard, Policy
from pumpguard.attempt import Attempt, Client, Phone
from pumpguard.challenges import Challenge
from pumpguard.counters import Refunds
from pumpguard.intake.network import UnknownNetworks
from pumpguard.money.exposure import DAY, HOUR, Exposure, exposure
from pumpguard.outcomes import Outcomes
from pumpguard.rules import Budget, Rule
from tests.money.random_money import (
    UNITS,
    random_hold_out,
    random_money,
    random_prices,
    random_refunds,
)
from tests.money.random_policies import REGIONS, random_client, random_phone, random_rule
from tests.money.settlement_traffic import Processes, Shaky

START = 1_700_000_000.0
PROGRESS = 5_000

Hit: TypeAlias = tuple[float, float, str]
"""When, for how much, and where to."""


class Found(NamedTuple):
    """A bound: its kind and name, the most that was spent in any time of its length, and itself."""

    kind: str
    name: str
    spent: float
    bound: float

    @property
    def reached(self) -> bool:
        """Whether the attacker came as close as prices let him."""
        return self.spent >= self.bound * 0.999 and self.spent > 0


@dataclass
class Example:
    """A policy, what its exposure is, and an attacker within the stated resources."""

    policy: Policy
    phones: Sequence[Phone]
    clients: Sequence[Client]
    verifies: bool
    bound: Exposure
    refunds: Refunds | None
    admitted: list[Hit] = field(default_factory=list)
    refunded: list[Hit] = field(default_factory=list)


def example(random: Random) -> Example:
    """A small policy and an attacker's resources."""
    unit = random.choice(UNITS)
    rules, outcomes = list[Rule](), Outcomes()
    if random.random() < 0.7:
        rules, outcomes = random_money(random, unit)
    others = random.choice([0, 0, 0, 1, 2]) if rules else random.randint(1, 4)
    rules += [random_rule(random, i) for i in range(others)]
    needs = any(_needs_verifications(rule) for rule in rules)
    policy = Policy(
        send="/s",
        rules=rules,
        price_overrides=random_prices(random, REGIONS, unit),
        settled=needs or random.random() < 0.5,
        on_store_failure="closed",
        outcomes=outcomes,
        hold_out=random_hold_out(random, unit),
        **random_refunds(random, unit),
    )
    phones = [random_phone(random) for _ in range(random.randint(1, 12))]
    clients = [random_client(random, i) for i in range(random.randint(1, 4))]
    bound = exposure(
        policy,
        networks=random.choice([None, len({client.network for client in clients})]),
        numbers=random.choice([None, len({phone.e164 for phone in phones})]),
        countries=REGIONS,
    )
    kept = policy.outcome_counters
    refunds = None if kept is None else kept.refunds
    return Example(policy, phones, clients, random.random() < 0.5, bound, refunds)


async def attack(case: Example, random: Random) -> None:
    """Bursts of concurrent requests and outcomes, when windows may have room again."""
    now = START + random.uniform(0, 86_400)
    hits, reservations = list[Hit](), list[bytes]()
    store = Shaky(random, lambda: now)

    def guard() -> Guard:
        return Guard(
            case.policy, store, clock=lambda: now, networks=UnknownNetworks(), challenge=Sold()
        )

    processes = Processes(random, guard, case.verifies)
    edges = [c.seconds for c in _declared(case.policy) if c.seconds <= DAY] or [HOUR]
    rests, pace = random.choice([0.2, 0.5, 0.9]), random.choice([None, None, *edges])
    if case.verifies and random.random() < 0.5:  # customers of his, from before
        await processes.know(phone.e164 for phone in case.phones)
    for _ in range(random.choice([5, 10, 10, 25])):
        if random.random() < rests:
            edge = random.choice(edges)
            waits = [1, edge, edge, edge * 0.9, edge / 10] if pace is None else [pace / 10]
            now += random.choice(waits) + random.choice([-0.001, 0, 0, 0.001])
        attempts = _burst(case, random, now)
        outcomes = asyncio.ensure_future(processes.tell())
        decisions = await asyncio.gather(*(processes.any().decide(each) for each in attempts))
        sent = [decision for decision in decisions if decision.allowed]
        processes.sent(sent)
        hits += [(now, d.attempt.price or 0.0, d.attempt.phone.region or "") for d in sent]
        reservations += [decision.reservation for decision in sent]
        await outcomes
        if random.random() < 0.7:
            await processes.told()
    await processes.told()
    counts = processes.unsent if any(not isinstance(r, Budget) for r in case.policy.chain) else ()
    case.admitted = [h for h, r in zip(hits, reservations, strict=True) if r not in counts]
    case.refunded = store.refunds
    assert len(set(store.refunded)) == len(store.refunded), "a message was refunded twice"


def worst(case: Example) -> list[Found]:
    """Every bound, and how close the attacker came to it."""
    found = []
    for seconds, of in ((HOUR, "hour"), (DAY, "day")):
        spent = _most(case.admitted, seconds)
        found.append(Found("total", f"total per {of}", spent, getattr(case.bound, of).usd))
        if not case.verifies:
            bound = getattr(case.bound.unverified, of)
            found.append(Found("unverified", f"unverified per {of}", spent, bound))
        for country in case.bound.countries:
            here = _most([hit for hit in case.admitted if hit[2] == country.country], seconds)
            name = f"{country.country} per {of}"
            found.append(Found("country", name, here, getattr(country, of).usd))
    if case.refunds is not None:
        back = _most(case.refunded, case.refunds.seconds)
        found.append(Found("refunds", "refunds per hour", back, case.refunds.limit / 1e6))
    return found


async def run(seed: int) -> list[Found]:
    """One example from its seed; raises `AssertionError` if a bound does not hold."""
    random = Random(seed)
    case = example(random)
    await attack(case, random)
    found = worst(case)
    for each in found:
        assert each.spent <= each.bound + 1e-9, f"seed {seed}: {each}: {case.policy}"
    return found


async def search(seeds: Iterable[int]) -> str:
    """Run many examples and say how close they came."""
    began, examples = time.perf_counter(), 0
    checked, reached = Counter[str](), Counter[str]()
    for seed in seeds:
        finite = [each for each in await run(seed) if isfinite(each.bound)]
        checked.update(each.kind for each in finite)
        reached.update(each.kind for each in finite if each.reached)
        reached["any"] += any(each.reached for each in finite)
        examples += 1
        if examples % PROGRESS == 0:
            print(f"{examples:,} after {time.perf_counter() - began:.0f} s", flush=True)
    kinds = ", ".join(f"{kind} {checked[kind]:,} ({reached[kind]:,})" for kind in checked)
    return (
        f"{examples:,} policies × interleavings in {time.perf_counter() - began:.0f} s: no bound "
        f"exceeded; {checked.total():,} bounds were checked, and in {reached['any']:,} examples "
        f"one was reached. By kind, with how many were reached: {kinds}"
    )


def _needs_verifications(rule: Rule) -> bool:
    return rule.needs_verifications or bool(rule.earned_by)


def _burst(case: Example, random: Random, now: float) -> list[Attempt]:
    table, phone = case.policy.price_table, random.choice(case.phones)
    proved = random.random() < 0.8
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
    return [replace(each, price=table.price(each.phone.region)) for each in attempts]


def _most(hits: Sequence[Hit], seconds: int) -> float:
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


def _declared(policy: Policy) -> list[Any]:
    attempt = Attempt(Phone("+12000000000", "US", 1), proved=True)
    return [c for rule in policy.chain for c in rule.counters(attempt) if hasattr(c, "seconds")]


class Sold(Challenge):
    """Attempts here say themselves whether a challenge was solved."""

    def solved(self, said: str, attempt: Attempt) -> bool:
        """Never asked."""
        return False


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    print(asyncio.run(search(range(args.seed, args.seed + args.examples))))


if __name__ == "__main__":
    main()
