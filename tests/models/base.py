"""What every model has: one counter about one subject, by its definition, in plain Python.

Models are written from what is documented (`pumpguard.store.base`, the docstrings of the counters,
the first lines of their Lua), in exact lists and dictionaries. Looking changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from pumpguard.counters import Counter, Reading

DAY = 86_400_000
"""ms."""

ALL = 2**31
"""Headroom in messages that was granted, and not earned."""

C = TypeVar("C", bound=Counter)


@dataclass
class Facts:
    """What is known of the request or the outcome at hand. Times are in ms, money in µ$."""

    now: int
    price: int = 0
    member: str = ""
    last4: int = 0
    matures_after: int = 0
    ticket: bytes = b""
    remembered: tuple[str | None, ...] = ()
    chance: float = 0.0
    outcome: str = ""
    sent_at: int = 0
    age: int = 0
    network: str | bytes | None = None
    worth: int = 1000
    """Of a verification, in thousandths."""
    worth_of_clients: int = 1000
    """The same without minding that many come from one network."""
    refunded: bool = True
    """Whether the price of a message that was not sent is given back."""
    # What some counters say that others depend on.
    known: bool = False
    familiar: bool = False
    """Whether the number was verified from where this request comes."""
    trusted: bool = False
    """Whether users of where this request comes from verify."""
    proved: bool = False
    owed: int = 0
    mistyped: int = 0
    """What the client owes for its last message, if that went nearby."""
    no_verifications: bool = False
    unheard: bool = False
    """Whether none arrive where they did before."""
    headroom: dict[str, int] = field(default_factory=dict)
    """By dimension."""

    @property
    def halves(self) -> int:
        """Of what is reserved: all for customers, half for known numbers, whoever asks for them,
        and for proof from where users verify."""
        vouched = self.proved and self.trusted
        if self.known and (self.familiar or vouched):
            return 2
        return int(self.known or vouched)

    def open_of(self, reserved: int) -> int:
        """So much of what is reserved."""
        return reserved * self.halves // 2


class Model(Generic[C]):
    """One counter about one subject. ``always``: it is charged even while it is full."""

    always = False

    def look(self, counter: C, facts: Facts) -> Reading:
        """What is read of it, and what others depend on put into the facts."""
        raise NotImplementedError

    def begins(self, counter: C, facts: Facts) -> bool:
        """Whether this request finds an alarm that is written whatever becomes of it."""
        return False

    def charge(self, counter: C, facts: Facts) -> None:
        """The request is counted."""

    def take(self, counter: C, facts: Facts) -> bool:
        """Whether a message that was not sent or not received is a real one."""
        return True

    def weigh(self, counter: C, facts: Facts) -> None:
        """A message was verified, or counts as never sent: before the others are told."""

    def tell(self, counter: C, facts: Facts) -> None:
        """What became of a message."""


def reading(used: int, wait: int, *detail: int) -> Reading:
    """A reading whose wait is in ms."""
    return Reading(used, wait / 1000, detail)
