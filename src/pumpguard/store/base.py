"""What a store promises: one question, one answer, one trip.

The semantics are the same in every store and are fixed by `tests/store/`:

1. Everything is read before anything is decided, and decided before anything is written.
2. A standing ban that binds refuses at once: nothing else is read, and nothing written.
3. A request is admitted when nothing that binds is full. Only then are admission counters charged,
   every one of them; a refused request charges none.
4. A counter that does not bind (monitored, or a challenge that was solved) is charged with the
   others when it has room, so that it shows what it would have done.
5. A refused request feeds strikes; a ban whose strikes are complete is written in the same step.
6. Time never runs backwards: a counter that has seen a later time keeps to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from pumpguard.counters import Ban, Counter, Distinct, Reading, Window, identity
from pumpguard.decision import Action


class Plan:
    """Counters prepared for asking, over and over, about ever different subjects.

    ``groups`` are the dimensions that the counters are kept by: counters of one group are about
    the same subject and live in one value. ``binds`` says which counters may refuse; a plan that
    ``reports`` wants a reading of every counter, not only of those that are full.
    """

    def __init__(
        self, counters: Sequence[Counter], binds: Sequence[bool], reports: bool = True
    ) -> None:
        self.groups = tuple(dict.fromkeys(counter.by for counter in counters))
        self.counters = tuple(counters)
        self.binds = tuple(binds)
        self.reports = reports
        self.group_of = tuple(self.groups.index(counter.by) for counter in counters)
        self.identities = tuple(identity(counter) for counter in counters)
        self.members = tuple(c.of for c in counters if isinstance(c, Distinct))
        self.feeding = frozenset(
            rule
            for counter in counters
            if isinstance(counter, Ban) and counter.fed_by != "attempts"
            for rule in counter.fed_by
        )
        """The rules whose refusals give a strike somewhere."""
        self.binding_bans = tuple(
            i for i, counter in enumerate(counters) if isinstance(counter, Ban) and binds[i]
        )
        self.counts_attempts = any(counts_attempts(counter) for counter in counters)

    @cached_property
    def grouped(self) -> tuple[tuple[int, ...], ...]:
        """The indexes of the counters of each group."""
        return tuple(
            tuple(i for i, group in enumerate(self.group_of) if group == g)
            for g in range(len(self.groups))
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


@dataclass(slots=True)
class Question:
    """All that one request asks of the store.

    ``subjects`` has one value per group of the plan, ``members`` one per distinct count, ``place``
    is the number's last four digits, ``destination`` its calling code. ``refused`` says that a
    rule has refused already, from the request alone, and ``refused_by`` names those whose refusal
    is more than a challenge and so may give strikes. ``at`` is the time in Unix seconds, or
    ``None`` to let the store's own clock decide. ``jitter`` is a random number in [-1, 1] for ban
    lengths; it comes from the caller because a server's own generator may restart with the same
    sequence.
    """

    plan: Plan
    subjects: tuple[str, ...]
    members: tuple[str, ...] = ()
    place: int = 0
    refused: bool = False
    refused_by: frozenset[str] = frozenset()
    at: float | None = None
    jitter: float = 0.0
    destination: str = ""


@dataclass(slots=True)
class Answer:
    """Whether the request was admitted (and charged), and what was read when.

    ``readings`` are by the counter's index in the plan: of those that are full, or of all if the
    plan reports; of the bans that stand, if there are any.
    """

    admitted: bool
    readings: Mapping[int, Reading]
    at: float


class Store(Protocol):
    """Keeps counters. Raises `pumpguard.errors.StoreError` when it cannot answer in time."""

    async def decide(self, question: Question) -> Answer:
        """Read all, decide all, charge all or nothing."""
        ...

    async def aclose(self) -> None:
        """Let go of connections; the store may be used again and reconnects."""
        ...


def counts_attempts(counter: Counter) -> bool:
    """Whether a counter counts every request, whatever becomes of it."""
    if isinstance(counter, Ban):
        return counter.fed_by == "attempts"
    return isinstance(counter, Window) and counter.counts == "attempts"


def gives_strikes(counter: Counter) -> bool:
    """Whether being refused by this counter may count against the client: not for a challenge,
    which an honest client meets, solves and passes."""
    return counter.action > Action.CHALLENGE


def feeds(ban: Ban, refused_by: frozenset[str]) -> bool:
    """Whether refusals by these rules give this ban a strike."""
    return ban.fed_by != "attempts" and not ban.fed_by.isdisjoint(refused_by)
