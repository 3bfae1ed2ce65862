"""Everything that pumpguard raises on purpose."""

from __future__ import annotations


class PumpGuardError(Exception):
    """The base of them all."""


class PolicyError(PumpGuardError, ValueError):
    """A policy that cannot be trusted to mean what it says; raised at construction.

    ``path`` is where (``rules.phone_limit.limits``), ``expected`` what would have been right.
    """

    def __init__(self, path: str, expected: str, got: object = ...) -> None:
        self.path = path
        self.expected = expected
        self.got = got
        found = "" if got is ... else f", got {got!r}"
        super().__init__(f"{path}: expected {expected}{found}")


class OverrideError(PolicyError):
    """An override, or a document of overrides, that cannot be understood; ``path`` says where."""


class StoreError(PumpGuardError):
    """The store could not answer in time; whether it has counted is unknown, unless ``undone`` says
    that it has certainly not. ``refused`` says that it is there and would not do it."""

    undone = refused = False


class IntakeError(PumpGuardError):
    """A request from which no attempt can be read unambiguously.

    Rendered as ``application/problem+json`` with this status, type and detail. The detail tells
    an honest client what to mend and repeats nothing of what was sent.
    """

    def __init__(self, status: int, problem: str, title: str, detail: str) -> None:
        self.status = status
        self.problem = problem
        self.title = title
        self.detail = detail
        super().__init__(f"{status} {problem}: {detail}")


class TicketError(PumpGuardError, ValueError):
    """A text that is no ticket or token of a decision, or a word that is no message's outcome."""


class ClientGone(PumpGuardError):
    """The client hung up before its request was complete; there is nobody to answer."""


class MessageNotSent(PumpGuardError):
    """A guarded sender was called for a request that was refused."""
