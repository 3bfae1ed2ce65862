"""What an attack cost behind a defence, and what it had cost when it was first refused.

All of it is read off one play: a request is refused if the answer says so, or if the answer says
that a message was sent and nobody was billed for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ..actors import Exchange
from ..books import Message
from ..figures import Table, money

UNREADABLE = (400, 404, 405, 422)
"""Answers about a number that no carrier takes, or a path that the app does not have: no defence
is needed for those."""


def before_refusal(requests: Sequence[Exchange], paid: Sequence[Message]) -> Table:
    """Messages and dollars up to the first refusal, and how long after the first request it came.

    If nothing was ever refused, all of them, and the time is None.
    """
    first = _first_refusal(requests, paid)
    through = [m for m in paid if first is None or m.at < first]
    return {
        "messages": len(through),
        "dollars": money(sum(m.price for m in through)),
        "delay_seconds": None if first is None else round(first - requests[0].at, 3),
    }


def _first_refusal(requests: Sequence[Exchange], paid: Sequence[Message]) -> float | None:
    billed = Counter(message.at for message in paid)
    for request in requests:
        if request.status in UNREADABLE:
            continue
        if not 200 <= request.status < 300 or not billed[request.at]:
            return request.at
        billed[request.at] -= 1
    return None


def spend_entry(requests: Sequence[Exchange], paid: Sequence[Message]) -> Table:
    """The attack's volume and its cost."""
    return {
        "requests": len(requests),
        "solutions": sum(request.human for request in requests),
        "messages": len(paid),
        "spend": money(sum(message.price for message in paid)),
    }
