"""Counters of dollars: spent, owed and given back."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from pumpguard.decision import Action


def micros(usd: float) -> int:
    """USD as whole µ$, rounded up: a price is never taken for less than it is."""
    # Rounded first: what floats add by themselves is no micro-dollar.
    return ceil(round(usd * 1e6, 3))


@dataclass(frozen=True, slots=True)
class Spend:
    """At most ``limit`` µ$ in any ``seconds``, by the price of what is let through.

    ``reserved`` µ$ of them are kept for numbers that have verified before (see `Known`): anybody
    else is let through up to ``limit - reserved``. Several with the same rule, ``by`` and
    ``seconds`` are one sum looked at with several limits, such as a share at which to ask for
    proof and the whole; declare all of them at once, or one instead of the other.

    Its reading's ``used`` is in µ$, its ``wait`` until the price of this message fits.
    """

    rule: str
    by: str
    limit: int
    seconds: int
    reserved: int = 0
    action: Action = Action.THROTTLE


@dataclass(frozen=True, slots=True)
class Credit:
    """How many µ$ of messages that nobody has verified a subject may have outstanding.

    The line is the highest of ``limit`` and ``ratio`` times what was verified on the best of the
    last 14 days or today so far (UTC days; today never exceeds the last 24 hours, so this is
    never more than earned). Debts are forgiven evenly, a whole line in ``seconds``; a
    verification pays its message back at once, and lets the line grow. A number whose own messages
    wait for their outcome may have two more, whatever the rest of the subject owes: somebody who
    gets no code asks again. With ``yields``, such a number has half of the line instead: those
    who have not had a message yet come first.

    Its reading's ``used`` is the debt in µ$, its ``detail`` the line in µ$.
    Source: the shape is Authgear's fraud protection, in messages: max(20, 0.3 × best of 14 days,
    0.3 × last 24 hours) unverified per country and day.
    """

    rule: str
    by: str
    limit: int
    seconds: int
    ratio: float = 0.3
    action: Action = Action.THROTTLE
    yields: bool = False


AGAIN, STEPS = 2, 1_000
"""Messages more that a number is granted on a line that does not yield; the steps in which a line
is forgiven (``credit.lua``)."""


@dataclass(frozen=True, slots=True)
class Refunds:
    """At most ``limit`` µ$ are given back in any ``seconds``. For settlements only."""

    rule: str
    limit: int
    seconds: int = 3_600
    by: str = "everything"
    action: Action = Action.ALLOW
