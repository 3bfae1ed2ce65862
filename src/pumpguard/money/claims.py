"""What the rules' counters claim: at most so many messages, or µ$, to these destinations in a time.

A claim counts only subjects that the attacker cannot multiply. ``everything``, ``country`` and
``calling_code`` are one each; ``phone``, and blocks of numbers through it, are as many as he has
numbers, ``network`` as many as he has addresses; sessions, accounts, devices and IPv6 sites are
as many as he likes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from math import ceil, inf, prod
from typing import TypeAlias

from pumpguard.attempt import PREFIX
from pumpguard.counters import Credit, Distinct, Refunds, Window, micros
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
class Resources:
    """What the attacker has: ``None`` is as many as he likes."""

    networks: int | None
    numbers: int | None


@dataclass(frozen=True, slots=True)
class Terms:
    """For what the claims are made: any ``seconds``, by ``parts`` limiters that each have a share
    (the workers, while the store is away), against someone who cannot ``verify`` if it says so.
    """

    seconds: int
    parts: int = 1
    verifies: bool = True


@dataclass(frozen=True, slots=True)
class Ledger:
    """Per rule's name and destination's index, what the rule holds; and how much may come back."""

    destinations: Sequence[Destination]
    held: Mapping[str, Mapping[int, Held]]
    refunds: Refunds | None
    resources: Resources

    def claims(self, terms: Terms, without: str | None = None) -> Iterator[Claim]:
        """All that holds without one of the rules."""
        limits = {
            (rule, key): by_place
            for rule, places in self.held.items()
            if rule != without
            for key, by_place in _by_counter(places).items()
        }
        counts = _Counts(self, terms, limits)
        for (rule, _), by_place in limits.items():
            yield from self._claims_of(rule, by_place, terms, counts)

    def _claims_of(
        self, rule: str, by_place: Mapping[int, Limiting], terms: Terms, counts: _Counts
    ) -> Iterator[Claim]:
        sample = next(iter(by_place.values()))
        if isinstance(sample, Distinct) or (isinstance(sample, Credit) and terms.verifies):
            return
        for scope in self.scopes(sample.by, by_place):
            subjects, rules = counts.subjects(sample.by, scope)
            if subjects < inf:
                widest = _widest(by_place, scope)
                ample = _forgiven(widest, terms)
                yield self._claim(rules | {rule}, scope, widest, ample, subjects, terms)
                for i in scope:
                    if by_place[i].limit < widest.limit:
                        lone, its = frozenset([i]), by_place[i]
                        yield self._claim(rules | {rule}, lone, its, ample, subjects, terms)

    def scopes(self, by: str, by_place: Mapping[int, Limiting]) -> list[Scope]:
        """Which destinations share the subjects of a counter."""
        dimensions = by.split("+")
        inside = [i for i in by_place if self.has(by, i)]
        if not inside:
            return []
        groups: dict[object, list[int]] = {}
        for i in inside:
            phone = self.destinations[i].phone
            key: object = ""
            if "country" in dimensions:
                key = self.destinations[i].name
            elif "calling_code" in dimensions:
                key = phone.calling_code
            groups.setdefault(key, []).append(i)
        scopes = [frozenset(group) for group in groups.values()]
        if any(_is_number(dimension) for dimension in dimensions):  # a number is in one country
            scopes.append(frozenset(inside))
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
        subjects: float,
        terms: Terms,
    ) -> Claim:
        share = _share(counter, terms.parts)
        windows = ceil(terms.seconds / share.seconds)
        if isinstance(share, Window):
            limit = share.limit * (
                share.max_factor if terms.verifies else 1
            )  # headroom has to be earned
            return Claim(rules, scope, messages=subjects * terms.parts * limit * windows)
        if isinstance(share, Credit):  # the line at once, and what is forgiven meanwhile
            dearest = max(micros(self.destinations[i].price) for i in scope)
            again = 0 if share.yields else AGAIN * dearest
            spent = share.limit + again + forgiven if share.limit else 0
        else:
            spent = share.limit * windows
        back = (
            self.refunds.limit * ceil(terms.seconds / self.refunds.seconds) if self.refunds else 0
        )
        return Claim(rules, scope, usd=(subjects * terms.parts * spent + back) / 1e6)


class _Counts:
    """How many subjects of each dimension there can be in the time."""

    def __init__(
        self,
        ledger: Ledger,
        terms: Terms,
        limits: Mapping[tuple[str, str], Mapping[int, Limiting]],
    ) -> None:
        self._resources = ledger.resources
        self._seen: dict[tuple[str, Scope], Counted] = {}
        for (rule, _), by_place in limits.items():
            counter = next(iter(by_place.values()))
            if isinstance(counter, Distinct) and counter.by in ONE_EACH:
                for scope in ledger.scopes(counter.by, by_place):
                    inside = frozenset(i for i in scope if ledger.has(counter.of, i))
                    widest = _share(_widest(by_place, scope), terms.parts)
                    most = terms.parts * widest.limit * ceil(terms.seconds / widest.seconds)
                    self._see(counter.of, inside, most, rule)

    def subjects(self, by: str, scope: Scope) -> Counted:
        """How many combinations of these dimensions there are among these destinations."""
        found = [self._of(dimension, scope) for dimension in set(by.split("+"))]
        rules = frozenset[str]().union(*(rules for _, rules in found))
        return prod(number for number, _ in found), rules

    def _of(self, dimension: str, scope: Scope) -> Counted:
        if dimension in ONE_EACH:
            return 1, frozenset()
        known: list[Counted] = []
        if _is_number(dimension):
            known += self._distinct(("phone", dimension), scope)
            if self._resources.numbers is not None:
                known.append((self._resources.numbers, frozenset()))
        elif dimension == "network" and self._resources.networks is not None:
            known += self._distinct(("network",), scope)
            known.append((self._resources.networks, frozenset()))
        return min(known, key=lambda counted: counted[0], default=(inf, frozenset()))

    def _distinct(self, dimensions: Iterable[str], scope: Scope) -> list[Counted]:
        return [
            counted
            for (dimension, inside), counted in self._seen.items()
            if dimension in dimensions and scope <= inside
        ]

    def _see(self, dimension: str, inside: Scope, most: float, rule: str) -> None:
        known = self._seen.get((dimension, inside))
        if known is None or most < known[0]:
            self._seen[dimension, inside] = (most, frozenset({rule}))


def _is_number(dimension: str) -> bool:
    return dimension == "phone" or dimension.startswith(PREFIX)


def _widest(by_place: Mapping[int, Limiting], scope: Scope) -> Limiting:
    """One counter with several limits lets through what the highest of them does."""
    return reduce(higher, (by_place[i] for i in scope))


def _forgiven(widest: Limiting, terms: Terms) -> int:
    """What of a line may be forgiven meanwhile, in whole steps at whole µ$.

    All who share a debt share this, whatever their own limit: each message that is let through
    writes the debt down as its own line forgives it, and the longest line forgives fastest.
    """
    if not isinstance(widest, Credit):
        return 0
    steps = ceil(terms.seconds * STEPS / widest.seconds)
    return steps * max(1, _share(widest, terms.parts).limit // STEPS)


def _share(counter: Limiting, parts: int) -> Limiting:
    return counter.divided(parts)


def _by_counter(places: Mapping[int, Held]) -> dict[str, dict[int, Limiting]]:
    """A rule's counters, each with the destinations it holds for."""
    found: dict[str, dict[int, Limiting]] = {}
    for i, held in places.items():
        for key, counter in held.items():
            found.setdefault(key, {})[i] = counter
    return found
