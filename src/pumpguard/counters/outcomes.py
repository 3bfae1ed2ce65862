"""What is remembered until the outcome of a message is told, and of whom it was good."""

from __future__ import annotations

from dataclasses import dataclass

from pumpguard.decision import Action


@dataclass(frozen=True, slots=True)
class Known:
    """Whether this number was verified in the last ``seconds``: ``used`` is 1 or 0. Never full.

    It also remembers when a verification last counted: one per number and 24 hours does.
    """

    rule: str
    seconds: int = 90 * 86_400
    by: str = "phone"
    action: Action = Action.ALLOW


@dataclass(frozen=True, slots=True)
class Tickets:
    """The last ``keep`` messages to a number that wait for their outcome, for ``seconds``.

    ``remembers`` names the dimensions, other than those that follow from the number, whose
    subjects have to be told the outcome as well, such as ``network`` and ``session``. They are
    stored with each ticket as key hashes. The whole must fit into 255 bytes, so fewer are kept if
    much is remembered; a ticket that is pushed out is never settled, which is only stricter.
    Never full.
    """

    rule: str
    seconds: int = 900
    keep: int = 8
    remembers: tuple[str, ...] = ()
    by: str = "phone"
    action: Action = Action.ALLOW
