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
from pumpguard.attempt import Attempt, Client, NetworkKind, Phone
from pumpguard.counters import Counter, Distinct, Reading, Spend, Window, micros
from pumpguard.decision import Action, Decision, Finding, Mode
from pumpguard.intake.network import UnknownNetworks
from pumpguard.money.exposure import DAY, HOUR, Exposure, exposure
from pumpguard.rules import GeoMismatch, Network, Number, RateLimit, Rule, SlidingBan
from pumpguard.store.memory import MemoryStore

REGIONS = {"GB": 44, "JE": 44, "US": 1, "CA": 1, "BD": 880}
START = 1_700_000_000.0
LENGTHS = (60, 600, 1800, 2400, 3600, 5000, 7200, 43_200, 50_000, 86_400)
SUBJECTS: Sequence[str | tuple[str, ...]] = (
    "everything", "everything", "everything", "country", "country", "calling_code", "phone",
    "network", "site", "session", "client_country", "prefix:2", "prefix:4",
    ("network", "country"), ("phone", "network"), ("country", "session"),
)  # fmt: skip


@dataclass(frozen=True)
class Declares:
    """A rule that declares what it is told, by what it sees of the attempt."""

    name: str
    usual: tuple[Counter, ...]
    spared: tuple[Counter, ...] = ()
    spares: str = ""
    mode: Mode = "enforce"

    def counters(self, attempt: Attempt) -> Sequence[Counter]:
        """Others for whoever it spares."""
        match self.spares:
            case "proved":
                spared = attempt.proved
            case "vpn":
                spared = attempt.client.kind == "vpn"
            case "session":
                spared = attempt.session is not None
            case "abroad":
                spared = attempt.client.country != attempt.phone.region
            case "region":
                spared = attempt.phone.region in ("US", "BD")
            case _:
                spared = False
        return self.spared if spared else self.usual

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        """The action of whatever is full."""
        full = [c.action for c, r in zip(self.counters(attempt), readings, strict=False) if r.full]
        return Finding(self.name, max(full), "FULL") if full else None


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
    rules = [_rule(random, i) for i in range(random.randint(1, 4))]
    prices = {region: random.choice([0.01, 0.0500001, 0.3, 0.0000015]) for region in REGIONS}
    policy = Policy(send="/s", rules=rules, price_overrides=prices)
    phones = [_phone(random) for _ in range(random.randint(1, 8))]
    clients = [_client(random, i) for i in range(random.randint(1, 4))]
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


def _rule(random: Random, i: int) -> Rule:
    name = f"rule{i}"
    mode: Mode = "monitor" if random.random() < 0.1 else "enforce"
    match random.randrange(10):
        case 0:
            return _declaring(random, name, mode)
        case 1:
            return _distinct(random, name, mode)
        case 2 if spends():
            return _spending(random, name, mode)
        case 3:
            named: list[Rule] = [
                Number(name=name, refused_regions=[random.choice(list(REGIONS))], mode=mode),
                Network(name=name, mode=mode, only_countries=["GB", "US"]),
                GeoMismatch(name=name, action=random.choice(["challenge", "block"]), mode=mode),
                SlidingBan(name=name, strikes="5/hour", by="network", base=60, mode=mode),
            ]
            return random.choice(named)
    seconds = random.choice(LENGTHS)
    only, spared = random.choice([((), ()), ((), ()), (("US", "GB"), ()), ((), ("BD",))])
    return RateLimit(
        name=name,
        by=random.choice(SUBJECTS),
        limits=f"{random.choice([1, 2, 3, 5, 9, 11, 14])} per {seconds} second",
        action=random.choice(["throttle", "throttle", "block", "shadow", "challenge"]),
        counts=random.choice(["admissions", "admissions", "admissions", "attempts"]),
        regions=only,
        except_regions=spared,
        mode=mode,
    )


def _declaring(random: Random, name: str, mode: Mode) -> Rule:
    by, seconds = random.choice(["everything", "country", "phone"]), random.choice(LENGTHS)
    few, many = sorted(random.sample(range(1, 20), 2))
    stern = random.choice([Action.THROTTLE, Action.CHALLENGE])
    return Declares(
        name,
        (Window(name, by, few, seconds, stern),),
        (Window(name, by, many, seconds),) if random.random() < 0.8 else (),
        random.choice(["proved", "vpn", "session", "abroad", "region"]),
        mode,
    )


def _distinct(random: Random, name: str, mode: Mode) -> Rule:
    by = random.choice(["everything", "country", "calling_code", "network"])
    of = random.choice(["phone", "phone", "prefix:2", "network", "country"])
    counter = Distinct(name, by, random.randint(1, 4), random.choice(LENGTHS), of)
    return Declares(name, (counter,), mode=mode)


def _spending(random: Random, name: str, mode: Mode) -> Rule:
    by, seconds = random.choice(["everything", "country", "calling_code"]), random.choice(LENGTHS)
    limit = micros(random.choice([0.01, 0.1, 0.5, 2]))
    whole = Spend(name, by, limit, seconds, reserved=limit // 5)
    share = Spend(name, by, limit * 4 // 5, seconds, action=Action.CHALLENGE)
    return Declares(name, (share, whole), (whole,), "proved", mode)


def _phone(random: Random) -> Phone:
    region, code = random.choice(list(REGIONS.items()))
    return Phone(
        f"+{code}{random.choice(['20000', '20001', '3111'])}{random.randrange(20):04}", region, code
    )


def _client(random: Random, i: int) -> Client:
    address = f"192.0.2.{i % 2 if random.random() < 0.3 else i}"
    site = random.choice([None, None, "2001:db8::/48"])
    country = random.choice([None, "GB", "US", "BD"])
    kinds: list[NetworkKind] = ["residential", "vpn", "unknown"]
    return Client(address, address, site, country, random.choice(kinds))


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
