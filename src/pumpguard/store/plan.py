"""Counters prepared for asking: what a store needs to know that no request changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from itertools import groupby
from typing import NamedTuple

from pumpguard.counters import (
    Ban,
    Conversion,
    Counter,
    Credit,
    Distinct,
    Known,
    Pulse,
    Reading,
    Refunds,
    Spend,
    Spike,
    Tickets,
    Trust,
    Window,
    divided,
    identity,
    in_slices,
    keeps_log,
    longest,
)
from pumpguard.decision import Action

NEVER_REFUSE = (Known, Pulse, Trust, Tickets, Refunds, Spike)
SETTLED = (Spend, Credit, Conversion, Tickets)
READ_FIRST = (Known, Pulse, Tickets)
"""Kinds on which the reading of other kinds depends, about whatever subject. (`Trust` concerns its
own subject's counters, and comes before those.)"""


class Weight(NamedTuple):
    """A factor of the risk score, earned once if any of the counters at these indexes is full."""

    factor: float
    places: tuple[int, ...]

    def of(self, readings: Mapping[int, Reading]) -> float:
        """The factor that these readings earn."""
        return self.factor if any(i in readings and readings[i].full for i in self.places) else 1.0


class Plan:
    """Counters prepared for asking, over and over, about ever different subjects.

    ``groups`` are the dimensions that the counters are kept by: counters of one group are about
    the same subject and live in one value. Groups whose counters others depend on come first.
    ``binds`` says which counters may refuse; a plan that ``reports`` wants a reading of every
    counter, not only of those that are full. ``weights`` make up a risk score that may refuse.
    """

    def __init__(
        self,
        counters: Sequence[Counter],
        binds: Sequence[bool],
        reports: bool = True,
        weights: Sequence[Weight] = (),
    ) -> None:
        first = sorted(counters, key=lambda counter: not isinstance(counter, READ_FIRST))
        self.groups = tuple(dict.fromkeys(counter.by for counter in first))
        self.counters = tuple(counters)
        self.binds = tuple(
            bool(may) and not isinstance(counter, NEVER_REFUSE)
            for counter, may in zip(counters, binds, strict=True)
        )
        self.reports = reports
        self.weights = tuple(each for each in weights if each.places and each.factor != 1)
        self.group_of = tuple(self.groups.index(counter.by) for counter in counters)
        self.longest = longest(counters)
        """For how many seconds the log of each counter matters; 0 for what is no log."""
        self.identities = tuple(map(identity, counters, self.longest))
        self.members = tuple(c.of for c in counters if isinstance(c, Distinct))
        self.feeding = frozenset(
            rule
            for counter in counters
            if isinstance(counter, Ban) and counter.fed_by != "attempts"
            for rule in counter.fed_by
        )
        """The rules whose refusals give a strike somewhere."""
        self.binding_bans = tuple(
            i
            for i, counter in enumerate(counters)
            if isinstance(counter, Ban) and binds[i] and not counter.yields
        )
        """The bans that end it when they stand, whatever else is there to read."""
        self.counts_attempts = any(counts_attempts(counter) for counter in counters)
        tickets = [counter for counter in counters if isinstance(counter, Tickets)]
        self.settled = any(isinstance(counter, SETTLED) for counter in counters)
        """Whether something here is about money or outcomes."""
        self.kinds = frozenset(type(counter) for counter in counters)
        self.in_slices = any(map(in_slices, counters))
        """Whether something here has a limit that is too high for a log."""
        self.writes_tickets = bool(tickets)
        self.remembered = tickets[0].remembers if tickets else ()
        """The dimensions that a ticket remembers, in this order."""

    @cached_property
    def grouped(self) -> tuple[tuple[int, ...], ...]:
        """The indexes of the counters of each group, in the order in which they are read: those
        that others depend on first, then bans, which are looked for before anything else, and
        those that share what is stored together."""
        first = {which: i for i, which in reversed(list(enumerate(self.identities)))}
        reading = sorted(
            range(len(self.counters)),
            key=lambda i: (
                not isinstance(self.counters[i], READ_FIRST),
                not isinstance(self.counters[i], Trust),
                not isinstance(self.counters[i], Ban),
                first[self.identities[i]],
            ),
        )
        return tuple(
            tuple(i for i in reading if self.group_of[i] == g) for g in range(len(self.groups))
        )

    @cached_property
    def segments(self) -> tuple[tuple[tuple[int, ...], ...], ...]:
        """The same, and together those that are one log with several windows."""

        def log_of(i: int) -> object:
            counter = self.counters[i]
            return (self.identities[i], counter.most) if keeps_log(counter) else i

        return tuple(
            tuple(tuple(windows) for _, windows in groupby(group, log_of)) for group in self.grouped
        )

    @cached_property
    def order(self) -> tuple[int, ...]:
        """The counters' indexes group by group, as a store with one value per subject sees them."""
        return tuple(i for group in self.grouped for i in group)

    @cached_property
    def member_order(self) -> tuple[int, ...]:
        """The indexes of ``members`` in that order."""
        distinct = [i for i, c in enumerate(self.counters) if isinstance(c, Distinct)]
        return tuple(distinct.index(i) for i in self.order if i in distinct)


def counts_attempts(counter: Counter) -> bool:
    """Whether a counter counts every request, whatever becomes of it."""
    if isinstance(counter, Ban):
        return counter.fed_by == "attempts"
    return isinstance(counter, Window | Spike) and counter.counts == "attempts"


def strikes(ban: Ban, counter: Counter) -> bool:
    """Whether being refused by this counter gives this ban a strike: not for a challenge, which an
    honest client meets, solves and passes, unless the ban is about those."""
    told = ban.challenges or counter.action > Action.CHALLENGE
    return told and feeds(ban, frozenset({counter.rule}))


def feeds(ban: Ban, refused_by: frozenset[str]) -> bool:
    """Whether refusals by these rules give this ban a strike."""
    return ban.fed_by != "attempts" and not ban.fed_by.isdisjoint(refused_by)


@lru_cache(maxsize=1_024)
def share(plan: Plan, workers: int) -> Plan:
    """The same plan with one process's share of every limit.

    What verifications and weeks of traffic teach is known to the store alone, so what is made of
    it binds nothing here.
    """
    learnt = [isinstance(counter, Conversion) for counter in plan.counters]
    binds = [may and not told for may, told in zip(plan.binds, learnt, strict=True)]
    counters = [divided(counter, workers) for counter in plan.counters]
    return Plan(counters, binds, plan.reports, plan.weights)
