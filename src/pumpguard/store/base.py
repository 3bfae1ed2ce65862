"""What a store promises: one question, one answer, one trip; and what happened, told afterwards.

The semantics are the same in every store and are fixed by `tests/store/`:

1. Everything is read before anything is decided, and decided before anything is written.
2. A standing ban that binds refuses at once: nothing else is read, and nothing written.
3. A request is admitted when nothing that binds is full. Only then are admission counters charged,
   every one of them; a refused request charges none.
4. A counter that does not bind (monitored, or a challenge that was solved) is charged with the
   others when it has room, so that it shows what it would have done.
5. A refused request feeds strikes; a ban whose strikes are complete is written in the same step.
6. Time never runs backwards: a counter that has seen a later time keeps to it.
7. An alarm that begins is written by the request that finds it, whatever becomes of that request.
8. Where the plan has weights, each that is earned by a full counter multiplies the question's
   score; a request whose score reaches the question's bound is refused like any other.
9. A question that was made by other orders than the store has is not decided and changes nothing.
10. A question for known numbers only is refused if the plan's `Known` does not know the number.

What becomes of a message is told later, in two steps. `Store.redeem` says that a number was
verified: it takes the number's open tickets away and returns them. `Store.settle` tells the other
subjects. A step that is lost, or made twice, only ever leaves the guard stricter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf
from typing import Literal, NamedTuple, Protocol, TypeAlias

from pumpguard.counters import (
    Ban,
    Conversion,
    Counter,
    Credit,
    Distinct,
    Known,
    Mix,
    Pulse,
    Reading,
    Refunds,
    Spend,
    Spike,
    Tickets,
    Trie,
    Trust,
    Window,
    identity,
)
from pumpguard.decision import Action
from pumpguard.store.orders import OrderStore

NEVER_REFUSE = (Known, Pulse, Trust, Tickets, Refunds, Spike)
SETTLED = (Spend, Credit, Conversion, Tickets)
READ_FIRST = (Known, Pulse)
"""Kinds on which the reading of other kinds depends, about whatever subject. (`Trust` concerns its
own subject's counters, and comes before those.)"""

DAY = 86_400
"""Seconds. A verification counts once per number in any such time."""

Subject: TypeAlias = str | bytes
"""A subject by its name, or by what a ticket remembered of it, which only its store can read."""

Outcome: TypeAlias = Literal["verified", "repeated", "failed"]
"""``verified``: it counts. ``repeated``: verified, but this number has counted already today, or
another message to it counts in this one's place: it is paid back and taken out of conversion, and
proves nothing. ``failed``: it was never sent, and is refunded."""


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
        tickets = [counter for counter in counters if isinstance(counter, Tickets)]
        self.settled = any(isinstance(counter, SETTLED) for counter in counters)
        """Whether something here is about money or outcomes."""
        self.kinds = frozenset(type(counter) for counter in counters)
        self.grows = any(isinstance(counter, Trie | Mix) for counter in counters)
        """Whether something here looks at the number digit by digit."""
        self.writes_tickets = bool(tickets)
        self.remembered = tickets[0].remembers if tickets else ()
        """The dimensions that a ticket remembers, in this order."""

    @cached_property
    def grouped(self) -> tuple[tuple[int, ...], ...]:
        """The indexes of the counters of each group, in the order in which they are read: those
        that others depend on first, and those that are one sum with several limits together."""
        first = {which: i for i, which in reversed(list(enumerate(self.identities)))}
        reading = sorted(
            range(len(self.counters)),
            key=lambda i: (
                not isinstance(self.counters[i], READ_FIRST),
                not isinstance(self.counters[i], Trust),
                first[self.identities[i]],
            ),
        )
        return tuple(
            tuple(i for i in reading if self.group_of[i] == g) for g in range(len(self.groups))
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

    ``price`` is what the message costs in µ$. ``ticket`` is 4 random bytes by which its outcome can
    be told later, or empty if nobody will tell it. ``matures_after`` is the age in ms at which a
    send that is unverified speaks against conversion (``None``: the counter's own ``seconds``).
    ``score`` is the risk score before any counter is read, ``bound`` the one that refuses.
    ``digits`` are the number's after its calling code, at most 14.

    ``orders`` is the version of the orders (6 bytes, or none) by which the question was made;
    ``known_only`` refuses a number that has not verified before.
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
    price: int = 0
    ticket: bytes = b""
    matures_after: int | None = None
    score: float = 1.0
    bound: float = inf
    digits: str = ""
    orders: bytes = b""
    known_only: bool = False


@dataclass(slots=True)
class Answer:
    """Whether the request was admitted (and charged), and what was read when.

    ``readings`` are by the counter's index in the plan: of those that are full, or of all if the
    plan reports; of the bans that stand, if there are any. ``known`` says whether a `Known` counter
    of the plan knows the number (always false for who is banned: it is not looked at).
    ``ticket`` is the question's, if it was written, else empty. ``outdated`` says that nothing was
    decided, because there are other orders; ``recalled`` that the store was not asked at all.
    """

    admitted: bool
    readings: Mapping[int, Reading]
    at: float
    known: bool = False
    ticket: bytes = b""
    outdated: bool = False
    recalled: bool = False


@dataclass(slots=True)
class Redemption:
    """A number was verified. ``known`` and ``tickets`` are the counters of the policy; ``at`` and
    ``destination`` are as in a question."""

    phone: str
    known: Known
    tickets: Tickets
    destination: str = ""
    at: float | None = None


@dataclass(frozen=True, slots=True)
class Open:
    """A ticket that was open: sent at ``at`` (Unix ms) for ``price`` µ$.

    ``remembered`` has one subject per dimension in ``Tickets.remembers``, ``None`` for none.
    """

    ticket: bytes
    at: int
    price: int
    remembered: tuple[Subject | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Redeemed:
    """The tickets that were open, newest first, and whether the newest counts as verified; the
    others are ``repeated``, and so is the newest if it does not count. ``at`` is in Unix ms."""

    counts: bool
    at: int
    tickets: tuple[Open, ...]


@dataclass(slots=True)
class Settlement:
    """What became of one message, for all subjects that have to know.

    ``plan`` holds the `Spend`, `Credit`, `Conversion` and `Pulse` counters that were asked when the
    message was admitted (their ``binds`` do not matter); ``subjects`` has one per group. For a
    failed message it also holds the policy's `Tickets` and `Refunds`: the refund is made if
    ``ticket`` is still open, which takes it, and if ``Refunds`` has room; with the price and time
    that are stored, not with those given here.

    ``price`` (µ$) and ``sent_at`` (Unix ms) are those of the redeemed ticket, ``age`` the ms from
    sending to verifying. ``network`` and ``place`` (last four digits) are what a verification is
    weighed by. ``at`` and ``destination`` are as in a question.
    """

    plan: Plan
    subjects: tuple[Subject, ...]
    outcome: Outcome
    ticket: bytes = b""
    price: int = 0
    sent_at: int = 0
    age: int = 0
    network: Subject | None = None
    place: int = 0
    destination: str = ""
    at: float | None = None


class Store(Protocol):
    """Keeps counters. Raises `pumpguard.errors.StoreError` when it cannot answer in time."""

    @property
    def orders(self) -> OrderStore:
        """Where the orders are kept."""
        ...

    async def decide(self, question: Question) -> Answer:
        """Read all, decide all, charge all or nothing."""
        ...

    async def redeem(self, redemption: Redemption) -> Redeemed:
        """Take the open tickets of a number that was verified, and know it from now on."""
        ...

    async def settle(self, settlements: Sequence[Settlement]) -> int:
        """Tell subjects what became of messages, in order. Returns how many took effect: a failed
        one does not if its ticket is not open or refunds are used up."""
        ...

    async def aclose(self) -> None:
        """Let go of connections; the store may be used again and reconnects."""
        ...


def counts_attempts(counter: Counter) -> bool:
    """Whether a counter counts every request, whatever becomes of it."""
    if isinstance(counter, Ban):
        return counter.fed_by == "attempts"
    return isinstance(counter, Window | Spike) and counter.counts == "attempts"


def gives_strikes(counter: Counter) -> bool:
    """Whether being refused by this counter may count against the client: not for a challenge,
    which an honest client meets, solves and passes."""
    return counter.action > Action.CHALLENGE


def feeds(ban: Ban, refused_by: frozenset[str]) -> bool:
    """Whether refusals by these rules give this ban a strike."""
    return ban.fed_by != "attempts" and not ban.fed_by.isdisjoint(refused_by)
