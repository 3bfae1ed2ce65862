"""What a store promises: one question, one answer, one trip.

The semantics are the same in every store and are fixed by `tests/store/`:

1. Everything is read before anything is decided, and decided before anything is written.
2. An active ban that binds refuses at once and writes nothing.
3. A request is admitted when nothing that binds is full. Only then are admission counters charged,
   every one of them; a refused request charges none.
4. A counter that does not bind (monitored, or a challenge that was solved) is charged with the
   others when it has room, so that it shows what it would have done.
5. A refused request feeds strikes; a ban whose strikes are complete is written in the same step.
6. Time never runs backwards: a counter that has seen a later time keeps to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from pumpguard.counters import Ban, Counter, Reading
from pumpguard.decision import Action


@dataclass(frozen=True, slots=True)
class Entry:
    """A counter in a question, and whether it may refuse."""

    counter: Counter
    binds: bool = True


@dataclass(frozen=True, slots=True)
class Question:
    """All that one request asks of the store.

    ``refused`` says that a rule has refused already, from the request alone, and ``refused_by``
    names those whose refusal is more than a challenge and so may give strikes. ``at`` is the time
    in Unix seconds, or ``None`` to let the store's own clock decide. ``jitter`` is a random number
    in [-1, 1] for ban lengths; it comes from the caller because a server's own generator may
    restart with the same sequence.
    """

    entries: tuple[Entry, ...]
    refused: bool = False
    refused_by: frozenset[str] = frozenset()
    at: float | None = None
    jitter: float = 0.0


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether the request was admitted (and charged), one reading per entry, and the time."""

    admitted: bool
    readings: tuple[Reading, ...]
    at: float


class Store(Protocol):
    """Keeps counters. Raises `pumpguard.errors.StoreError` when it cannot answer in time."""

    async def decide(self, question: Question) -> Answer:
        """Read all, decide all, charge all or nothing."""
        ...

    async def aclose(self) -> None:
        """Let go of connections; the store may be used again and reconnects."""
        ...


def gives_strikes(counter: Counter) -> bool:
    """Whether being refused by this counter may count against the client: not for a challenge,
    which an honest client meets, solves and passes."""
    return counter.action > Action.CHALLENGE


def feeds(ban: Ban, refused_by: frozenset[str]) -> bool:
    """Whether refusals by these rules give this ban a strike."""
    return ban.fed_by != "attempts" and not ban.fed_by.isdisjoint(refused_by)
