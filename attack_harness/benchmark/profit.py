"""The attacker's side of the books: what he earns after costs, and when he should leave."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence

from ..actors import Exchange
from ..attackers import Attack
from ..attackers.base import SOLVED_CHALLENGE
from ..books import Message
from ..figures import Table, money

LOOKS_BACK, LEAST = 100, 20
"""He leaves when his last 100 requests (at least 20) have earned him nothing after costs."""


def profit_entry(attack: Attack, requests: Sequence[Exchange], paid: Iterable[Message]) -> Table:
    """What he earned if he stayed to the end, and if he had left when it no longer paid."""
    income: dict[float, float] = defaultdict(float)
    for message in paid:
        income[message.at] += message.owner_share
    last: deque[float] = deque(maxlen=LOOKS_BACK)
    total, left = 0.0, None
    for request in requests:
        earned = income.pop(request.at, 0.0) - attack.proxy_cost
        last.append(earned - (SOLVED_CHALLENGE if request.human else 0.0))
        total += last[-1]
        if left is None and len(last) >= LEAST and sum(last) <= 0:
            left = (request.at, total)
    total += sum(income.values())
    first = requests[0].at if requests else 0.0
    return {
        "profit": money(total),
        "leaves_after_seconds": None if left is None else round(left[0] - first, 3),
        "profit_when_leaving": money(total if left is None else left[1]),
    }
