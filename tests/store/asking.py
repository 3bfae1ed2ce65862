"""Short words for asking a store things."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from pumpguard.counters import Ban, Counter, Distinct, Neighbours, Window
from pumpguard.store.base import Answer, Plan, Question, Store

START = 1_700_000_000.0


@dataclass(frozen=True)
class About:
    """A counter, and what one request says about it; ``binds`` is whether it may refuse."""

    counter: Counter
    member: str = ""
    place: int = 0
    binds: bool = True


def watched(about: About) -> About:
    """The same counter, in a question in which it may not refuse."""
    return replace(about, binds=False)


def question(*abouts: About, at: float = 0.0, **more: Any) -> Question:
    """One question, ``at`` seconds after the start, that wants to know everything."""
    plan = Plan([about.counter for about in abouts], [about.binds for about in abouts])
    return Question(
        plan,
        subjects=tuple("somebody" for _ in plan.groups),
        members=tuple(a.member for a in abouts if isinstance(a.counter, Distinct)),
        place=next((a.place for a in abouts if isinstance(a.counter, Neighbours)), 0),
        at=START + at,
        **more,
    )


async def ask(store: Store, *abouts: About, at: float = 0.0, **more: Any) -> Answer:
    """Put one question."""
    return await store.decide(question(*abouts, at=at, **more))


def window(limit: int, seconds: int = 60, subject: str = "a", **more: Any) -> About:
    """A window of a rule called ``window``."""
    rule = more.pop("rule", "window")
    return About(Window(rule, f"phone {subject}", limit, seconds, **more))


def distinct(member: str, limit: int = 2, subject: str = "a", **more: Any) -> About:
    """A distinct count of a rule called ``distinct``."""
    by = f"network {subject}"
    return About(Distinct("distinct", by, limit, 60, "country", **more), member=member)


def neighbours(place: int, limit: int = 2, subject: str = "a", **more: Any) -> About:
    """A neighbourhood of a rule called ``neighbours``, reaching ten places each way."""
    return About(Neighbours("neighbours", f"prefix {subject}", limit, 60, 10, **more), place=place)


def ban(strikes: int = 1, after: str = "window", subject: str = "a", **more: Any) -> About:
    """A ban of ten seconds, five times longer each time, without jitter."""
    shape: dict[str, Any] = {"base": 10, "factor": 5.0, "cap": 1000, "memory": 100, "jitter": 0.0}
    fed_by: Any = "attempts" if after == "attempts" else frozenset({after})
    return About(Ban("ban", f"network {subject}", strikes, 60, fed_by, **{**shape, **more}))
