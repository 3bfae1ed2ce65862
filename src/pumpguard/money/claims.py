"""What the rules' counters claim: at most so many messages, or USD, to some destinations in a time.

A claim counts only subjects that the attacker cannot multiply. ``everything``, ``country`` and
``calling_code`` are one each; ``phone``, and blocks of numbers through it, are as many as he has
numbers, ``network`` as many as he has addresses; sessions, accounts, devices and IPv6 sites are
as many as he likes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import reduce
from math import ceil, inf, prod
from typing import TypeAlias

from pumpguard.attempt import PREFIX
from pumpguard.counters import Credit, Distinct, Refunds, Spend, Window, micros
from pumpguard.counters.credit import AGAIN, STEPS
from pumpguard.money.attacker import Destination, Held, Limiting, higher

ONE_EACH = frozenset({"everything", "country", "calling_code"})

Scope: TypeAlias = frozenset[int]
Counted: TypeAlias = tuple[float, frozenset[str]]
"""How many there are, and the rules that say so."""


@dataclass(frozen=True, slots=True)
class Claim:
    """At most ``messages``, or ``usd``, to all destinations of ``scope`` together."""

    rules: frozenset[str]
    scope: Scope
    messages: float = inf
    usd: float = inf


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What the claims are for: any ``seconds``; ``parts`` limiters that each have a share (the
    workers, while the store is away); an attacker who ``verifies``, or cannot; whether one
    was ever ``heard``: before that, everybody has all the room that can be earned."""

    seconds: int
    parts: int = 1
    verifies: bool = True
    heard: bool = True


@dataclass(frozen=True, slots=True)
class Ledger:
    """The limits by rule's name and destination's index, how much failed messages give back, and
    how many networks and numbers the attacker has (``None``: as many as he likes)."""

    destinations: Sequence[Destination]
    held: Mapping[str, Mapping[int, Held]]
    refunds: Refunds | None
    networks: int | None
    numbers: int | None
    _scopes: dict[tuple[str, Scope], list[Scope]] = field(default_factory=dict, repr=False)

    def claims(self, assumed: Assumptions, without: Set[str]) -> Iterator[Claim]:
        """The claims of all rules but those ``without``."""
        limits: dict[tuple[str, str], dict[int, Limiting]] = {}
        for rule, places in self.held.items():
            if rule not in without:
                for i, counters in places.items():
                    for key, counter in counters.items():
                        limits.setdefault((rule, key), {})[i] = counter
        counts = _Counts(self, assumed, limits)
        for (rule, _), by_place in limits.items():
            yield from self._claims_of(rule, by_place, assumed, counts)

    def _claims_of(
        self, rule: str, by_place: Mapping[int, Limiting], assumed: Assumptions, counts: _Counts
    ) -> Iterator[Claim]:
        sample = next(iter(by_place.values()))
        if isinstance(sample, Distinct) or (assumed.verifies and _of_unverified(sample)):
            return
        for scope in self.scopes(sample.by, by_place):
            subjects, counted_by = counts.subjects(sample.by, scope)
            if subjects == inf:
                continue
            widest = _widest(by_place, scope)
            limits = {scope: widest} | {
                frozenset([i]): by_place[i] for i in scope if by_place[i].limit < widest.limit
            }
            forgiven = _forgiven(widest, assumed)
            for part, counter in limits.items():
                limiters = subjects * assumed.parts
                yield self._claim(counted_by | {rule}, part, counter, forgiven, limiters, assumed)

    def scopes(self, by: str, places: Iterable[int]) -> list[Scope]:
        """Which destinations share the subjects of a counter, of those where there is one."""
        known = (by, frozenset(places))
        if known not in self._scopes:
            self._scopes[known] = self._shared(by, places)
        return self._scopes[known]

    def _shared(self, by: str, places: Iterable[int]) -> list[Scope]:
        dimensions = by.split("+")
        groups: dict[object, list[int]] = {}
        for i in places:
            if self.has(by, i):
                there = self.destinations[i]
                key: object = None
                if "country" in dimensions:
                    key = there.name
                elif "calling_code" in dimensions:
                    key = there.phone.calling_code
                groups.setdefault(key, []).append(i)
        scopes = [frozenset(group) for group in groups.values()]
        if scopes and any(_is_number(dimension) for dimension in dimensions):
            scopes.append(frozenset().union(*scopes))  # a number is in one country
        return list(dict.fromkeys(scopes))

    def has(self, by: str, i: int) -> bool:
        """Whether every number there lies in such a block."""
        depths = [int(d.removeprefix(PREFIX)) for d in by.split("+") if d.startswith(PREFIX)]
        return all(self.destinations[i].phone.prefix(depth) is not None for depth in depths)

    def _claim(
        self,
        rules: frozenset[str],
        scope: Scope,
        counter: Limiting,
        forgiven: int,
        limiters: float,
        assumed: Assumptions,
    ) -> Claim:
        share = counter.divided(assumed.parts)
        windows = ceil(assumed.seconds / share.seconds)
        if isinstance(share, Window):
            earns = assumed.verifies or not assumed.heard
            most = share.highest if earns else share.for_all  # the rest has to be earned
            return Claim(rules, scope, messages=limiters * most * windows)
        if isinstance(share, Credit):  # the line at once, and what is forgiven meanwhile
            dearest = max(micros(self.destinations[i].price) for i in scope)
            again = 0 if share.yields else AGAIN * dearest
            line = max(share.limit, dearest)  # who owes nothing has one message
            spent = line + again + forgiven if share.limit else 0
            return Claim(rules, scope, usd=limiters * spent / 1e6)
        dollars: float = share.limit * windows
        if isinstance(share, Spend) and assumed.verifies:
            dollars *= 1000 / share.permille  # what was verified counts less
        return Claim(rules, scope, usd=limiters * dollars / 1e6 + self.given_back(assumed))

    def given_back(self, assumed: Assumptions) -> float:
        """What messages that were not sent give back to budgets meanwhile, at most, in USD."""
        if self.refunds is None:
            return 0.0
        return self.refunds.limit * ceil(assumed.seconds / self.refunds.seconds) / 1e6


class _Counts:
    """How many subjects of each dimension there can be in the time."""

    def __init__(
        self,
        ledger: Ledger,
        assumed: Assumptions,
        limits: Mapping[tuple[str, str], Mapping[int, Limiting]],
    ) -> None:
        self._networks, self._numbers = ledger.networks, ledger.numbers
        self._distinct: dict[tuple[str, Scope], Counted] = {}
        for (rule, _), by_place in limits.items():
            counter = next(iter(by_place.values()))
            if isinstance(counter, Distinct) and counter.by in ONE_EACH:
                for scope in ledger.scopes(counter.by, by_place):
                    inside = frozenset(i for i in scope if ledger.has(counter.of, i))
                    share = _widest(by_place, scope).divided(assumed.parts)
                    most = assumed.parts * share.limit * ceil(assumed.seconds / share.seconds)
                    known, _ = self._distinct.get((counter.of, inside), (inf, None))
                    if most < known:
                        self._distinct[counter.of, inside] = (most, frozenset({rule}))

    def subjects(self, by: str, scope: Scope) -> Counted:
        """How many combinations of these dimensions there are among these destinations."""
        found = [self._of(dimension, scope) for dimension in set(by.split("+"))]
        rules = frozenset[str]().union(*(rules for _, rules in found))
        return prod(number for number, _ in found), rules

    def _of(self, dimension: str, scope: Scope) -> Counted:
        if dimension in ONE_EACH:
            return 1, frozenset()
        if _is_number(dimension):
            owned, counted_as = self._numbers, {"phone", dimension}
        elif dimension == "network" and self._networks is not None:
            owned, counted_as = self._networks, {"network"}
        else:
            return inf, frozenset()
        known = [
            counted
            for (of, inside), counted in self._distinct.items()
            if of in counted_as and scope <= inside
        ]
        known.append((inf if owned is None else owned, frozenset()))
        return min(known, key=lambda counted: counted[0])


def _is_number(dimension: str) -> bool:
    return dimension == "phone" or dimension.startswith(PREFIX)


def _of_unverified(counter: Limiting) -> bool:
    """Whether it holds nobody whose messages are verified."""
    return isinstance(counter, Credit) or (isinstance(counter, Window) and counter.unverified)


def _widest(by_place: Mapping[int, Limiting], scope: Scope) -> Limiting:
    """One counter with several limits lets through what the highest of them does."""
    return reduce(higher, (by_place[i] for i in scope))


def _forgiven(widest: Limiting, assumed: Assumptions) -> int:
    """What of a line may be forgiven in the time, in whole steps at whole µ$.

    All who share a debt share this, whatever their own limit: each message that is let through
    reduces the debt by what its own line forgives, and the longest line forgives fastest.
    """
    if not isinstance(widest, Credit):
        return 0
    steps = ceil(assumed.seconds * STEPS / widest.seconds)
    return steps * max(1, widest.divided(assumed.parts).limit // STEPS)
