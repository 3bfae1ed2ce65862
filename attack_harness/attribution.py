"""Who asked for each paid message: read out of the log, never guessed from the number.

A number may be asked for by several sides: an attack that resets accounts asks for the numbers of
real users. What tells their messages apart is the moment, which the ledger and the log share.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from .actors import Log
from .books import Message

NOBODY = ""


def by_side(log: Log, ledger: Iterable[Message]) -> Mapping[str, list[Message]]:
    """The paid messages by the side that asked for them.

    `NOBODY` asked for a message to another number than was meant, such as the random +57 03… that
    every reader of numbers takes the trunk prefix from: it is in the bill and in no side's account.
    """
    asked: dict[tuple[str, float], str] = {}
    for exchange in log.exchanges:
        asked.setdefault((exchange.phone, exchange.at), exchange.side)
    found: defaultdict[str, list[Message]] = defaultdict(list)
    for message in ledger:
        found[asked.get((message.phone, message.at), NOBODY)].append(message)
    return found
