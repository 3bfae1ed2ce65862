"""What every kind of counter has, and all that the rest of the program asks of one.

A kind is one place: a frozen dataclass derived from `Counter`, and beside its module a file of the
same name that ends in ``.lua``, with what the script does for it. The Lua file is put into a script
behind a line that says by which letter plans call the kind (``KIND``), and registers

- ``TAIL[KIND]()``: reads what `Counter.tail` wrote into ``plan``, if that is anything, and moves
  ``at`` behind it: for all calls, so nothing may change that, nor may it be about the request;
  second, how many counters a segment holds, if that is not one. Of
  ``struct.pack(">H", self.distance)``:
  ``local distance; distance, at = unpack_from('>I2', plan, at); return distance``;
- ``READ[KIND](limit, span, stored, now, tail)``: returns a table, the state, with ``used`` and
  ``wait`` (ms); with ``always`` if requests are counted even while it is full; with ``begins`` if
  it is to be stored whatever becomes of the request;
- ``EARLY[KIND]``, true if other kinds depend on what it reads, about whatever subject;
- ``DETAIL[KIND](state)``: two numbers for `Reading.detail`, if there is any;
- ``CHARGE[KIND](limit, span, state, stored, now)``: what to store once this request is counted, and
  for how many milliseconds it can matter; nothing if there is nothing to store.

What they know of the request is in ``store/scripts/common.lua``; ``pack``, ``unpack_from``,
``byte``, ``sub``, ``min``, ``max`` and ``floor`` are named in ``store/scripts/start.lua``; what
several kinds store alike is in ``shared/`` (`Counter.parts`). Behind the line ``-- outcomes`` are
the hooks of kinds that are told what became of messages (``store/scripts/settle.lua``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import IntEnum
from typing import Any, ClassVar, NamedTuple, Self, cast

from pumpguard.decision import Action
from pumpguard.facts import facts

DESTINATIONS = frozenset({"phone", "country", "calling_code"})
"""Dimensions that tell where a message goes; so do blocks of numbers."""

OF_ONE_CLIENT = frozenset({"network", "site", "session", "account", "device"})
"""Dimensions that tell where a request comes from, and of which one person has few."""


@facts(frozen=True, slots=True)
class Reading:
    """What the store said about one counter.

    ``used`` is the count before this request (for a ban: its level); ``wait`` the seconds until
    it would let this request pass, 0 when it does now. ``detail`` is what some kinds say besides.
    """

    used: int
    wait: float
    detail: tuple[int, ...] = ()

    @property
    def full(self) -> bool:
        """Whether this counter speaks against the request."""
        return self.wait > 0


class Turn(IntEnum):
    """When a counter is read, among those of a plan."""

    FIRST = 0
    """Before everything else: other kinds, about whatever subject, depend on it."""
    BEFORE_ITS_SUBJECT = 1
    """Other kinds depend on it that are about the same subject."""
    BAN = 2
    """What ends a decision is looked for before anything else."""
    LAST = 3


class Segment(NamedTuple):
    """Counters that are stored as one: mostly one alone; several are windows of one log."""

    counters: Sequence[Counter]
    binds: Sequence[bool]
    """For each of them, whether it may refuse in this plan."""
    plan: Sequence[Counter]
    """All counters of the plan, in the order in which they are read."""


class Counter:
    """A declaration that never changes: what is counted for which ``rule``, ``by`` what, and the
    ``action`` that follows when it is full."""

    __slots__ = ()

    rule: str
    by: str
    action: Action

    may_refuse: ClassVar[bool] = True
    """Whether it can be full in a way that refuses anybody."""
    turn: ClassVar[Turn] = Turn.LAST
    learnt: ClassVar[bool] = False
    """Whether what it finds was learnt from outcomes, which only the shared store is told."""
    told_of: ClassVar[frozenset[str]] = frozenset()
    """The outcomes of messages (`pumpguard.store.base.Outcome`) that it has to know."""
    shared: ClassVar[bool] = False
    """Whether several of one identity are one sum with several limits."""
    sets_apart: ClassVar[bool] = False
    """Whether what it knows of a number may let pass what strangers are refused."""
    looks_at_debts: ClassVar[bool] = False
    """Whether what the number itself owes makes it full earlier or later."""

    @property
    def has_destination(self) -> bool:
        """Whether all requests that it counts go to one destination, and so to one shard."""
        parts = self.by.split("+")
        return any(part in DESTINATIONS or part.startswith("prefix:") for part in parts)

    @property
    def refuses_at_once(self) -> bool:
        """Whether, when it is full and binds, nothing else is read."""
        return False

    @property
    def counts_attempts(self) -> bool:
        """Whether it counts every request, whatever becomes of it."""
        return False

    def hears(self, outcome: str) -> bool:
        """Whether it has to know of such an outcome; attempts count whatever becomes of them."""
        return outcome in self.told_of and not self.counts_attempts

    @property
    def fed_by_rules(self) -> frozenset[str]:
        """The rules whose refusals it counts."""
        return frozenset()

    def struck_by(self, counter: Counter) -> bool:
        """Whether being refused by that one is a strike for it."""
        return False

    @property
    def member(self) -> str | None:
        """The dimension of which it counts different values, if it counts those."""
        return None

    @property
    def remembers(self) -> tuple[str, ...] | None:
        """The dimensions whose subjects it writes into a ticket; ``None`` if it writes none."""
        return None

    @property
    def log(self) -> tuple[str, ...] | None:
        """What is equal for counters that read one log of exact times; ``None`` without a log."""
        return None

    @property
    def parts(self) -> tuple[str, ...]:
        """The files in ``shared/`` that its Lua uses."""
        return ()

    @property
    def layout(self) -> str:
        """What of the declaration decides how it is stored, in words."""
        return ""

    @property
    def span(self) -> int:
        """For how many milliseconds a hit counts; 0 where no fixed time says so."""
        return 0

    @property
    def limit_on_the_wire(self) -> int:
        """The limit that its Lua is given; 0 if it needs none."""
        return 0

    def identity(self, span: int = 0) -> str:
        """What makes it the same counter from deploy to deploy: ids in Redis are hashes of this, so
        never change what it returns.

        Changing a limit keeps what was counted, unless the new limit is kept in another layout. A
        log is kept for the ``span`` of the longest window that reads it (ms; by default its own).
        """
        seconds = (span or self.span) // 1000
        return f"{type(self).__name__} {self.layout} {seconds} {self.by} {self.rule}"

    def full_from(self, reading: Reading, price: int) -> int | None:
        """The least price (µ$) from which it is full for every stranger who asks about its subject,
        now that it was full for one who pays ``price``: until the wait of this reading is over, or
        an outcome makes room. ``None`` where that depends on more. A stranger brings no proof, and
        no counter that ``sets_apart`` knows the number."""
        return None

    def tail(self, segment: Segment) -> bytes:
        """What its Lua reads of it in a plan, beside limit and span."""
        return b""

    def divided(self, parts: int) -> Self:
        """The counter of one of so many that share its limit; itself if it has none."""
        return self

    def divisible(self, parts: int) -> bool:
        """Whether ``divided`` gives each of so many no more than that part of the limit."""
        return True


class Timed(Counter):
    """What happened in the last ``seconds``, and nothing before."""

    __slots__ = ()

    seconds: int

    @property
    def span(self) -> int:
        return self.seconds * 1000


class Limited(Timed):
    """At most ``limit`` in any ``seconds``."""

    __slots__ = ()

    limit: int

    smallest_share: ClassVar[int] = 1
    """What a share of the limit, which is rounded down, is at least: one hit; of money nothing."""

    @property
    def limit_on_the_wire(self) -> int:
        return self.limit

    def divided(self, parts: int) -> Self:
        limit = max(self.smallest_share, self.limit // parts)
        return cast(Self, replace(cast(Any, self), limit=limit))

    def divisible(self, parts: int) -> bool:
        return self.limit >= parts
