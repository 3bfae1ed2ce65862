"""Counters compiled for asking: all that can be known of them before a request is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from itertools import groupby
from typing import NamedTuple

from pumpguard.counters.base import Counter, Turn
from pumpguard.decision import Action


class Weight(NamedTuple):
    """A factor of the risk score, earned once if any of the counters at these indexes is full."""

    factor: float
    places: tuple[int, ...]


class Plan:
    """Counters prepared for asking about ever different subjects.

    ``groups`` are the dimensions that the counters are kept by: counters of one group are about
    the same subject and live in one value. Groups whose counters others depend on come first.
    ``binds`` says which counters may refuse; a plan that ``reports`` wants a reading of every
    counter, not only of those that are full. ``weights`` make up a risk score that may refuse.
    ``proved`` says that it is for requests that carry proof.
    """

    def __init__(
        self,
        counters: Sequence[Counter],
        binds: Sequence[bool],
        reports: bool = True,
        weights: Sequence[Weight] = (),
        proved: bool = False,
    ) -> None:
        self.counters = tuple(counters)
        self.binds = tuple(
            bool(may) and counter.may_refuse for counter, may in zip(counters, binds, strict=True)
        )
        self.reports = reports
        self.proved = proved
        self.weights = tuple(each for each in weights if each.places and each.factor != 1)
        first = sorted(counters, key=lambda counter: counter.turn is not Turn.FIRST)
        self.groups = tuple(dict.fromkeys(counter.by for counter in first))
        self.group_of = tuple(self.groups.index(counter.by) for counter in counters)
        self.spans = _spans(counters)
        """For how many milliseconds what is stored of each counter matters to some of them."""
        self.identities = tuple(
            counter.identity(span) for counter, span in zip(counters, self.spans, strict=True)
        )
        self.members = tuple(c.member for c in counters if c.member is not None)
        """The dimensions of which different values are counted."""
        self.feeding = frozenset[str]().union(*(counter.fed_by_rules for counter in counters))
        """The rules whose refusals give a strike somewhere."""
        self.binding_bans = tuple(
            i for i, counter in enumerate(counters) if binds[i] and counter.refuses_at_once
        )
        """The bans that end it when they stand, whatever else is there to read."""
        self.counts_attempts = any(counter.counts_attempts for counter in counters)
        self.settled = any(counter.told_of for counter in counters)
        """Whether something here is about money or outcomes."""
        self.kinds = frozenset(type(counter) for counter in counters)
        remembered = [c.remembers for c in counters if c.remembers is not None]
        self.writes_tickets = bool(remembered)
        self.remembered = remembered[0] if remembered else ()
        """The dimensions that a ticket remembers, in this order."""

    @cached_property
    def grouped(self) -> tuple[tuple[int, ...], ...]:
        """The indexes of the counters of each group, in the order in which they are read: by their
        turn, and those that are stored together beside each other."""
        first = {which: i for i, which in reversed(list(enumerate(self.identities)))}
        reading = sorted(
            range(len(self.counters)),
            key=lambda i: (self.counters[i].turn, first[self.identities[i]]),
        )
        return tuple(
            tuple(i for i in reading if self.group_of[i] == g) for g in range(len(self.groups))
        )

    @cached_property
    def segments(self) -> tuple[tuple[tuple[int, ...], ...], ...]:
        """The same, and together those that are read together: windows of one log."""
        return tuple(
            tuple(tuple(each) for _, each in groupby(group, lambda i: self.counters[i].log or i))
            for group in self.grouped
        )

    @cached_property
    def order(self) -> tuple[int, ...]:
        """The counters' indexes group by group, as the scripts see them."""
        return tuple(i for group in self.grouped for i in group)

    @cached_property
    def member_order(self) -> tuple[int, ...]:
        """The indexes of ``members`` in that order."""
        counting = [i for i, counter in enumerate(self.counters) if counter.member is not None]
        return tuple(counting.index(i) for i in self.order if i in counting)

    @cached_property
    def lasting(self) -> Mapping[int, str]:
        """The counters that bind, by their index, each with what makes it the same counter with
        the same limits in other plans: what a process may know of them (`Counter.full_from`)."""
        binding = [i for i, may in enumerate(self.binds) if may and i not in self.binding_bans]
        return {i: f"{self.identities[i]} {self.counters[i]!r}" for i in binding}

    @cached_property
    def refused_alike(self) -> bool:
        """Whether a stranger is refused by what is full, whatever else there is to read. Not with
        proof, weights or reports; not where what is hidden from its subject is more than a ban, and
        not where a ban is fed by another."""
        bans = [each for each in self.counters if each.turn is Turn.BAN]
        hidden = [each for each in self.counters if each.action is Action.SHADOW]
        return not (
            self.proved
            or self.weights
            or self.reports
            or any(each.turn is not Turn.BAN for each in hidden)
            or any(each.struck_by(other) for each in bans for other in bans)
        )

    @cached_property
    def parts(self) -> frozenset[str]:
        """The shared Lua that its counters use."""
        return frozenset(part for counter in self.counters for part in counter.parts)


def _spans(counters: Sequence[Counter]) -> tuple[int, ...]:
    """Of each counter its own span, and of one that reads a log the longest of those that do."""
    longest: dict[tuple[str, ...], int] = {}
    for counter in counters:
        if counter.log is not None:
            longest[counter.log] = max(longest.get(counter.log, 0), counter.span)
    return tuple(c.span if c.log is None else longest[c.log] for c in counters)


@lru_cache(maxsize=1_024)
def share(plan: Plan, workers: int) -> Plan:
    """The same plan with one process's share of every limit.

    What verifications teach is known to the store alone, so what is made of it binds nothing here.
    """
    binds = [may and not c.learnt for may, c in zip(plan.binds, plan.counters, strict=True)]
    counters = [counter.divided(workers) for counter in plan.counters]
    return Plan(counters, binds, plan.reports, plan.weights, plan.proved)
