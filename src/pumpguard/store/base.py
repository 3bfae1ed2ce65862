"""What a store promises: one question, one answer, one trip; and what happened, told afterwards.

The semantics are the same in every store and are fixed by `tests/store/`:

1. Everything is read before anything is decided, and decided before anything is written.
2. A standing ban that binds refuses at once: nothing else is read, and nothing written.
3. A request is admitted when nothing that binds is full. Only then are admission counters charged,
   every one of them; a refused request charges none.
4. A counter that does not bind (monitored, or a challenge that was solved) is charged with the
   others when it has room, so that it shows what it would have done.
5. A refused request feeds strikes; a ban whose strikes are complete is written in the same step.
6. Time never runs backwards: what is counted keeps to the latest time that it has counted at. A ban
   stands until its end by the time of whoever asks.
7. An alarm that begins is written by the request that finds it, whatever becomes of that request.
8. Where the plan has weights, each that is earned by a full counter multiplies the question's
   score; a request whose score reaches the question's bound is refused like any other.
9. A question that was made by another version of the overrides than the store has is not decided
   and changes nothing.
10. A question for known numbers only is refused if the plan's `Known` does not know the number.
11. A refusal that was made elsewhere (`Store.refuse`) is counted as if it had been made here.

What becomes of a message is told later, in two steps. `Store.redeem` says that a number was
verified: it takes the number's open tickets away and returns them. `Store.settle` tells the other
subjects. A step that is lost, or made twice, only ever leaves the guard stricter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Literal, Protocol, TypeAlias

from pumpguard.counters import Known, Reading, Tickets
from pumpguard.counters.plan import Plan
from pumpguard.store.overrides import OverrideStore

DAY = 86_400
"""Seconds. A verification counts once per number in any such time."""

Subject: TypeAlias = str | bytes
"""A subject by its name, or by what a ticket remembered of it, which only its store can read."""

Outcome: TypeAlias = Literal["verified", "repeated", "failed", "unallocated"]
"""``verified``: it counts. ``repeated``: verified, but this number has counted already today, or
another message to it counts in this one's place: it is paid back and taken out of conversion, and
proves nothing. ``failed``: it was never sent; what it was charged is given back. ``unallocated``:
it was sent and paid for, and the operator knows no such number: its ticket is taken, and nothing
else happens."""


@dataclass(slots=True)
class Question:
    """All that one request asks of the store.

    ``subjects`` has one value per group of the plan, ``members`` one per distinct count, ``last4``
    is the number's last four digits. ``refused`` says that a rule has refused already, from the
    request alone, and ``refused_by`` names those whose refusal is more than a challenge and so may
    give strikes. ``at`` is the time in Unix seconds, or ``None`` to let the store's own clock
    decide. ``jitter`` is a random number in [-1, 1] for ban lengths; it comes from the caller
    because a server's own generator may restart with the same sequence.

    ``price`` is what the message costs in µ$. ``ticket`` is 4 random bytes by which its outcome can
    be told later, or empty if nobody will tell it. ``matures_after`` is the age in ms at which a
    send that is unverified speaks against conversion (``None``: the counter's own ``seconds``).
    ``score`` is the risk score before any counter is read, ``bound`` the one that refuses.

    ``overrides_version`` (6 bytes, or none) is that of the overrides the question was made by;
    ``known_only`` refuses a number that has not verified before.
    """

    plan: Plan
    subjects: tuple[str, ...]
    members: tuple[str, ...] = ()
    last4: int = 0
    refused: bool = False
    refused_by: frozenset[str] = frozenset()
    at: float | None = None
    jitter: float = 0.0
    calling_code: str = ""
    price: int = 0
    ticket: bytes = b""
    matures_after: int | None = None
    score: float = 1.0
    bound: float = inf
    overrides_version: bytes = b""
    known_only: bool = False


@dataclass(slots=True)
class Answer:
    """Whether the request was admitted (and charged), and what was read when.

    ``readings`` are by the counter's index in the plan: of those that are full, or of all if the
    plan reports; of the bans that stand, if there are any. ``known`` says whether a `Known` counter
    of the plan knows the number (always false for who is banned: it is not looked at).
    ``ticket`` is the question's, if it was written, else empty. ``outdated`` says that nothing was
    decided, because the overrides have changed; ``recalled`` that the store was not asked at all,
    ``degraded`` that it could not answer and another did in its place, ``crowded`` that too many
    others wait for it already.
    """

    admitted: bool
    readings: Mapping[int, Reading]
    at: float
    known: bool = False
    ticket: bytes = b""
    outdated: bool = False
    recalled: bool = False
    degraded: bool = False
    crowded: bool = False


@dataclass(slots=True)
class Refusal:
    """A question of which a process knows that these counters bind and are ``full``, by their index
    in the plan, for every stranger (`pumpguard.counters.base.Counter.full_from`)."""

    question: Question
    full: Mapping[int, Reading]


@dataclass(slots=True)
class Redemption:
    """A number was verified. ``known`` and ``tickets`` are the counters of the policy; ``at`` and
    ``calling_code`` are as in a question. With ``only_open`` nothing happens unless a message to
    the number is open: so says who has seen an answer, and not the app."""

    phone: str
    known: Known
    tickets: Tickets
    calling_code: str = ""
    at: float | None = None
    only_open: bool = False


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

    ``plan`` holds the counters that were asked when the message was admitted and have to hear of it
    (`Counter.hears`; their ``binds`` do not matter); ``subjects`` has one per group. For a failed
    message it also holds the policy's `Tickets`, an `Unsent` and `Refunds`: what was charged is
    given back if ``ticket`` is still open, which takes it, and `Unsent` has room; to budgets if
    `Refunds` has room too; with the price and time that are stored, not those given here.
    For an unallocated one it holds `Tickets` alone.

    ``price`` (µ$) and ``sent_at`` (Unix ms) are those of the redeemed ticket, ``age`` the ms from
    sending to verifying. ``network`` and ``last4`` are what a verification is weighed by. ``at``
    and ``calling_code`` are as in a question.
    """

    plan: Plan
    subjects: tuple[Subject, ...]
    outcome: Outcome
    ticket: bytes = b""
    price: int = 0
    sent_at: int = 0
    age: int = 0
    network: Subject | None = None
    last4: int = 0
    calling_code: str = ""
    at: float | None = None


class Store(Protocol):
    """Keeps counters. Raises `pumpguard.errors.StoreError` when it cannot answer in time."""

    @property
    def overrides(self) -> OverrideStore: ...

    async def decide(self, question: Question) -> Answer:
        """Read all, decide all, charge all or nothing."""

    async def refuse(self, refusals: Sequence[Refusal]) -> Sequence[Answer | None]:
        """Count refusals, of one shard and one version of the overrides, as `decide` would:
        attempts and strikes. Each is answered by what is full and by the bans that stand; by
        ``None``, and counted nowhere, if the question has to be decided: its number is known or has
        open tickets, or a ban comes first."""

    async def redeem(self, redemption: Redemption) -> Redeemed:
        """Take the open tickets of a number that was verified, and know it from now on."""

    async def settle(self, settlements: Sequence[Settlement]) -> int:
        """Tell subjects what became of messages, in order. Returns how many took effect: a failed
        or unallocated one does not if its ticket is not open, a failed one neither if its subjects
        or budgets have had too much given back."""

    async def remember(self, name: str, text: str, seconds: int, at: float | None = None) -> None:
        """Keep a short text under a name, sealed; a later one replaces it. ``at`` is as in a
        question."""

    async def recall(self, name: str, at: float | None = None) -> str | None:
        """The text that is kept under a name, if any."""

    async def aclose(self) -> None:
        """Let go of connections; the store may be used again and reconnects."""
