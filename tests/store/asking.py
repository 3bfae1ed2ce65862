"""Short words for asking a store things."""

from __future__ import annotations

from typing import Any

from pumpguard.counters import Ban, Counter, Distinct, Neighbours, Window
from pumpguard.store.base import Answer, Entry, Question, Store

START = 1_700_000_000.0


async def ask(store: Store, *counters: Counter | Entry, at: float = 0.0, **question: Any) -> Answer:
    """Put one question, ``at`` seconds after the start; bare counters bind."""
    entries = tuple(c if isinstance(c, Entry) else Entry(c) for c in counters)
    return await store.decide(Question(entries, at=START + at, **question))


def window(limit: int, seconds: int = 60, subject: str = "a", **more: Any) -> Window:
    """A window of a rule called ``window``."""
    return Window(more.pop("rule", "window"), "phone", subject, limit, seconds, **more)


def distinct(member: str, limit: int = 2, subject: str = "a", **more: Any) -> Distinct:
    """A distinct count of a rule called ``distinct``."""
    return Distinct(more.pop("rule", "distinct"), "network", subject, limit, 60, member, **more)


def neighbours(position: int, limit: int = 2, subject: str = "a", **more: Any) -> Neighbours:
    """A neighbourhood of a rule called ``neighbours``, reaching ten places each way."""
    return Neighbours(
        more.pop("rule", "neighbours"), "prefix", subject, limit, 60, position, 10, **more
    )


def ban(strikes: int = 1, after: str = "window", subject: str = "a", **more: Any) -> Ban:
    """A ban of ten seconds, five times longer each time, without jitter."""
    shape: dict[str, Any] = {"base": 10, "factor": 5.0, "cap": 1000, "memory": 100, "jitter": 0.0}
    fed_by: Any = "attempts" if after == "attempts" else frozenset({after})
    rule = more.pop("rule", "ban")
    return Ban(rule, "network", subject, strikes, 60, fed_by, **{**shape, **more})
