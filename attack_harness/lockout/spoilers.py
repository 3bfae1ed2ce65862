"""Who wants an app's users refused, by every way that leads through its guard.

Each way fills something that others share: a block of numbers, a line of credit, a budget, an
address, a number. The search takes every way at several rates, and keeps the one by which a refused
stranger costs the fewest messages; then it tries that one faster, slower, with proof and without,
and waiting while it is full.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from typing import Literal

from .rows import ABROAD
from .stage import HOUR, MINUTE, Bill, Person, Stage

Aim = Literal["nobody", "block", "country", "abroad", "everywhere", "address", "names", "trusted"]
"""What he fills: nothing; a block of 1,000; one home country; all others together; the budget; an
address that others use as well; what is kept for known numbers, whose owners he knows; and what is
kept for addresses that verify, of which he has made some his own."""

HOME = ("GB", "US", "DE", "FR", "IE")
OWN_NUMBER = 0.10
"""USD for a number that receives one code: rented ones are sold at 5 cents to half a dollar."""

OWN_NUMBERS = 60
CROWD = 200
"""People at the address that he shares, in its first twenty minutes."""


@dataclass(frozen=True)
class Spoiler:
    """One way: what he fills, how often he asks (seconds), whether he buys solutions, and whether
    he saves his money while it is full and only looks once a minute."""

    aim: Aim
    every: float
    buys: bool = True
    waits: bool = False

    @property
    def name(self) -> str:
        """The same in words."""
        proofs = "buys proofs" if self.buys else "without proof"
        waits = ", waits" if self.waits else ""
        way = f"{self.aim}, every {self.every:g} s, {proofs}{waits}"
        return "nobody" if self.aim == "nobody" else way


@dataclass(frozen=True)
class Spoilt:
    """What a way came to, beside what happens to the same people without him."""

    spoiler: Spoiler
    bill: Bill
    strangers: int
    lost: int
    """Strangers who got no code, or were hidden from, because of him."""
    asked: int
    customers: int
    customers_lost: int

    @property
    def messages_each(self) -> float:
        """Messages that go out for a stranger who gets none."""
        return self.bill.messages / self.lost if self.lost else float("inf")

    @property
    def thousand(self) -> float:
        """USD that 1,000 such strangers cost him."""
        return 1_000 * self.bill.his / self.lost if self.lost else float("inf")


async def spoil(spoiler: Spoiler, seed: int, hours: float, without: Spoilt | None = None) -> Spoilt:
    """Play one way for so many hours, before people who would all be served."""
    stage = Stage(seed)
    customers = [await stage.customer(c) for c in ("GB", "GB", "DE", "IN") for _ in range(60)]
    office = stage.address()
    for _ in range(40):
        await stage.verify(Person(stage.number("GB"), office, "GB"))
        await stage.play(MINUTE)
    block = stage.number("GB")[:-3]
    shared = stage.address() if spoiler.aim in ("address", "nobody") else ""
    own = [stage.address() for _ in range(OWN_NUMBERS if spoiler.aim == "trusted" else 0)]
    for address in own:
        await stage.verify(Person(stage.number("GB"), address, "GB"))
        stage.bill.numbers += OWN_NUMBER
    await stage.play(26 * HOUR)
    _people(stage, hours, customers, office, block, shared)
    targets = _targets(stage, spoiler.aim, customers, block, shared, own)

    async def shot() -> None:
        phone, address, country = next(targets)
        decision = await stage.spoil(phone, address, country, buys=spoiler.buys)
        pause = min(MINUTE, decision.retry_after or 0) if spoiler.waits else 0
        stage.later(max(spoiler.every, pause), shot)

    if spoiler.aim != "nobody":
        stage.later(1.0, shot)
    await stage.play(hours * HOUR)
    known = [p for p in stage.people if p.customer]
    strangers = [p for p in stage.people if not p.customer]
    lost = sum(p.told != "served" for p in strangers)
    asked = sum(p.asked for p in strangers)
    return Spoilt(
        spoiler, stage.bill, len(strangers),
        max(0, lost - (without.lost if without else 0)),
        max(0, asked - (without.asked if without else 0)),
        len(known), sum(p.told != "served" for p in known),
    )  # fmt: skip


def _people(
    stage: Stage, hours: float, customers: Sequence[Person], office: str, block: str, shared: str
) -> None:
    """A busy hour of an app of 4,000 users a day, and where he may look for them."""
    rng = stage.rng

    def come(person: Person, within: float, *, proved: bool = False) -> None:
        stage.later(rng.random() * within, lambda: stage.visit(person, proved=proved))

    for country, an_hour in (("GB", 80), ("DE", 60), ("US", 60), ("FR", 50), ("IE", 20)):
        for _ in range(round(an_hour * hours)):
            come(stage.person(country), hours * HOUR)
    for n in range(round(60 * hours)):
        come(stage.person(ABROAD[n % len(ABROAD)]), hours * HOUR)
    for n in range(4):
        come(replace(stage.person("GB"), phone=f"{block}{n * 231:03}"), hours * HOUR)
    for _ in range(CROWD if shared else 0):
        come(replace(stage.person("GB"), address=shared), 20 * MINUTE)
    # Each from where they have verified, or with proof from an address whose users verify.
    for n, customer in enumerate(customers):
        away = n % 4 == 3
        person = replace(customer, address=office if away else customer.address)
        come(person, hours * HOUR, proved=away)


def _targets(
    stage: Stage, aim: Aim, customers: Sequence[Person], block: str, shared: str, own: list[str]
) -> Iterator[tuple[str, str, str]]:
    """Number, address and country of one request after the other."""
    names, addresses, n = cycle(customers), cycle(own or [""]), 0
    while True:
        n += 1
        country = ABROAD[n % len(ABROAD)] if aim == "abroad" else "GB"
        if aim == "everywhere":
            country = HOME[n % len(HOME)]
        if aim == "block":
            yield f"{block}{n * 7 % 1000:03}", stage.address(), "GB"
        elif aim == "names":
            victim = next(names)
            yield victim.phone, stage.address(), victim.country
        elif aim == "address":
            yield stage.number("GB"), shared, "GB"
        elif aim == "trusted":
            yield stage.number("GB"), next(addresses), "GB"
        else:
            yield stage.number(country), stage.address(), country


AIMS: tuple[Aim, ...] = (
    "block", "country", "abroad", "everywhere", "address", "names", "trusted",
)  # fmt: skip
RATES = (0.5, 4.0, 60.0)
SOONEST, LATEST = 0.25, 900.0


async def search(
    seed: int, hours: float, aims: Sequence[Aim] = AIMS, rates: Sequence[float] = RATES
) -> list[Spoilt]:
    """The cheapest of each aim, cheapest first: every rate, then the best of them changed as long
    as that makes it cheaper."""
    without = await spoil(Spoiler("nobody", 1.0), seed, hours)
    found = [replace(without, lost=0, asked=0)]
    played: dict[Spoiler, Spoilt] = {}

    async def best_of(ways: Sequence[Spoiler]) -> Spoilt:
        """The one by which a stranger costs the fewest messages; one that costs a customer a code
        is the best of all."""
        for way in ways:
            if way not in played:
                played[way] = await spoil(way, seed, hours, without)
        return min((played[way] for way in ways), key=_cost)

    for aim in aims:
        best = await best_of([Spoiler(aim, every) for every in rates])
        while True:
            him = best.spoiler
            near = [
                replace(him, every=min(LATEST, him.every * 2)),
                replace(him, every=max(SOONEST, him.every / 2)),
                replace(him, buys=not him.buys),
                replace(him, waits=not him.waits),
            ]
            better = await best_of(near)
            if _cost(better) >= _cost(best):
                break
            best = better
        found.append(best)
    return sorted(found, key=_cost)


def _cost(each: Spoilt) -> tuple[int, float, float]:
    return -each.customers_lost, each.messages_each, each.thousand
