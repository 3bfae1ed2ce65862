"""Short words for asking a store things."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from pumpguard.counters import (
    Ban,
    Conversion,
    Counter,
    Credit,
    Distinct,
    Known,
    Neighbours,
    Pulse,
    Refunds,
    Spend,
    Tickets,
    Trust,
    Window,
)
from pumpguard.counters.plan import Plan
from pumpguard.store.base import (
    Answer,
    Open,
    Outcome,
    Question,
    Redeemed,
    Redemption,
    Settlement,
    Store,
)

START = 1_700_000_000.0


@dataclass(frozen=True)
class About:
    """A counter, and what one request says about it; ``binds`` is whether it may refuse."""

    counter: Counter
    member: str = ""
    last4: int = 0
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
        members=tuple(a.member for a in abouts if a.counter.member is not None),
        last4=next((a.last4 for a in abouts if isinstance(a.counter, Neighbours)), 0),
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


def sliced(limit: int, seconds: int = 60, **more: Any) -> About:
    """A window that is kept in slices, because with room it could let through many more."""
    return window(limit, seconds, max_factor=200, **more)


def distinct(member: str, limit: int = 2, subject: str = "a", **more: Any) -> About:
    """A distinct count of a rule called ``distinct``."""
    by = f"network {subject}"
    return About(Distinct("distinct", by, limit, 60, "country", **more), member=member)


def neighbours(last4: int, limit: int = 2, subject: str = "a", **more: Any) -> About:
    """A neighbourhood of a rule called ``neighbours``, reaching ten places each way."""
    return About(Neighbours("neighbours", f"prefix {subject}", limit, 60, 10, **more), last4=last4)


def ban(strikes: int = 1, after: str = "window", subject: str = "a", **more: Any) -> About:
    """A ban of ten seconds, five times longer each time, without jitter."""
    shape: dict[str, Any] = {"base": 10, "factor": 5.0, "cap": 1000, "memory": 100, "jitter": 0.0}
    fed_by: Any = "attempts" if after == "attempts" else frozenset({after})
    return About(Ban("ban", f"network {subject}", strikes, 60, fed_by, **{**shape, **more}))


KNOWN = Known("settlement")
TICKETS = Tickets("settlement", remembers=("network", "session"))
PHONE = (About(KNOWN), About(TICKETS))
"""What every guarded number keeps once outcomes are told."""

REFUNDS = Refunds("settlement", limit=1_000)
PULSE = Pulse("conversion")


def spend(limit: int, seconds: int = 100, subject: str = "everything", **more: Any) -> About:
    """A budget in micro-dollars."""
    return About(Spend("budget", subject, limit, seconds, **more))


def credit(limit: int, seconds: int = 1_000, subject: str = "country", **more: Any) -> About:
    """A line of unverified micro-dollars."""
    return About(Credit("credit", subject, limit, seconds, **more))


def conversion(subject: str = "prefix:4", **more: Any) -> About:
    """A conversion with the defaults."""
    return About(Conversion("conversion", subject, **more))


def trust(subject: str = "network", **more: Any) -> About:
    """Trust in a subject, with the defaults."""
    return About(Trust("trust", subject, **more))


async def redeem(store: Store, at: float = 0.0) -> Redeemed:
    """Somebody's number was verified."""
    return await store.redeem(Redemption("somebody", KNOWN, TICKETS, at=START + at))


def settlement(
    *abouts: About, outcome: Outcome = "verified", at: float = 0.0, **more: Any
) -> Settlement:
    """An outcome for the counters of somebody's message."""
    plan = Plan([about.counter for about in abouts], [False for _ in abouts])
    subjects = tuple("somebody" for _ in plan.groups)
    return Settlement(plan, subjects, outcome, at=START + at, **more)


async def settle(store: Store, *abouts: About, **more: Any) -> int:
    """Tell one outcome."""
    return await store.settle([settlement(*abouts, **more)])


async def verify(store: Store, *abouts: About, at: float = 0.0, **more: Any) -> Redeemed:
    """What the guard does when an app says that somebody's number was verified."""
    redeemed = await redeem(store, at)
    for n, each in enumerate(redeemed.tickets):
        outcome: Outcome = "verified" if redeemed.counts and n == 0 else "repeated"
        await settle(store, *abouts, outcome=outcome, at=at, **told(each, redeemed), **more)
    return redeemed


def told(ticket: Open, redeemed: Redeemed) -> dict[str, Any]:
    """What an outcome says of a ticket."""
    return {"price": ticket.price, "sent_at": ticket.at, "age": redeemed.at - ticket.at}
