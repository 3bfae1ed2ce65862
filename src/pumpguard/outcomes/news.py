"""What the store is told of behind a reply."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from pumpguard.attempt import Phone
from pumpguard.outcomes import Ticket


@dataclass(frozen=True, slots=True)
class Failed:
    """A message that was not sent, or that was sent (and is paid for) to a number nobody has. One
    that was never ``charged`` is a shadow's, and told for its time alone."""

    ticket: Ticket
    at: float | None
    outcome: Literal["failed", "unallocated"] = "failed"
    charged: bool = True


@dataclass(frozen=True, slots=True)
class Verified:
    """A number was verified: that of the ``flow``, if one is known by it, else the first of
    ``phones`` that a message is open to. With ``only_open`` it counts only if there is one: so
    does what was seen of an answer; what the app says counts always."""

    phones: tuple[Phone, ...]
    at: float | None
    flow: str | None = None
    only_open: bool = False


@dataclass(frozen=True, slots=True)
class Flow:
    """The app will know a number by this."""

    flow: str
    phone: Phone
    at: float | None


@dataclass(frozen=True, slots=True)
class Listen:
    """Has any process ever heard a verification?"""

    at: float | None


QueuedOutcome: TypeAlias = Failed | Verified | Flow | Listen


def key_of(outcome: QueuedOutcome) -> object:
    """The same for outcomes of which one says all."""
    match outcome:
        case Failed(ticket, at, became, _):
            return ticket.attempt.phone.e164, ticket.reservation, at, became
        case Verified(phones, at, flow, only_open):
            return tuple(phone.e164 for phone in phones), flow, at, only_open
        case Flow(flow, phone, at):
            return Flow, flow, phone.e164, at
        case Listen(at):
            return Listen, at
