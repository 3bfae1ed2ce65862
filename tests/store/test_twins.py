"""Lua and Python give the same answer to the same questions, all kinds mixed."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Sequence
from math import inf
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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
    Spike,
    Tickets,
    Trust,
    Window,
)
from pumpguard.decision import Action
from pumpguard.store.base import Question, Redemption, Settlement, Store, Subject
from pumpguard.store.embedded import EmbeddedServer
from pumpguard.store.memory import MemoryStore
from pumpguard.store.plan import Plan, Weight
from pumpguard.store.redis import RedisStore
from tests.conftest import PATIENT, SERVERS
from tests.store.asking import START

RULES = st.sampled_from(["a", "b", "c"])
BY = st.sampled_from(["x", "y", "z"])
ACTIONS = st.sampled_from([Action.CHALLENGE, Action.THROTTLE, Action.BLOCK])
COUNTERS: st.SearchStrategy[Any] = st.one_of(
    st.builds(
        Window, RULES, BY, st.sampled_from([1, 3, 10, 11, 40, 70_000]), st.sampled_from([7, 60]),
        ACTIONS, st.sampled_from(["attempts", "admissions"]), st.sampled_from([1, 1, 2, 9]),
    ),
    st.builds(Distinct, RULES, BY, st.just(2), st.just(61), st.just("country"), ACTIONS),
    st.builds(Neighbours, RULES, BY, st.just(2), st.just(62), st.just(10), ACTIONS),
    st.builds(
        Ban, RULES, BY, st.sampled_from([1, 2, 12]), st.just(63),
        st.one_of(st.just("attempts"), st.frozensets(RULES, min_size=1)),
        base=st.just(5), cap=st.just(100), memory=st.just(50), action=ACTIONS,
        most=st.sampled_from([1, 3]), challenges=st.booleans(), yields=st.booleans(),
    ),
    st.builds(
        Trust, RULES, st.sampled_from(["x", "y", "network"]), st.sampled_from([1, 4]),
        st.sampled_from([0.1, 0.35]),
    ),
    st.builds(
        Spend, RULES, BY, st.sampled_from([0, 1_000, 50_000, 2**40]), st.just(64),
        st.sampled_from([0, 500]), ACTIONS,
    ),
    st.builds(
        Credit, RULES, BY, st.sampled_from([0, 900, 50_000]), st.just(65),
        st.sampled_from([0.3, 2.0]), ACTIONS, st.booleans(),
    ),
    st.builds(
        Conversion, RULES, st.sampled_from(["x", "prefix:3", "network"]),
        h=st.sampled_from([0.6, 2.0]), minimum=st.sampled_from([1, 3]),
        seconds=st.sampled_from([66, 67]), hold=st.just(40), action=ACTIONS,
    ),
    st.builds(
        Spike, RULES, BY, ratio=st.sampled_from([1.0, 1.7, 3.0]), minimum=st.sampled_from([1, 3]),
        seconds=st.sampled_from([60, 600]), counts=st.sampled_from(["attempts", "admissions"]),
    ),
)  # fmt: skip
SETTLED = (Spend, Credit, Conversion, Pulse, Trust)
KNOWN = Known("settlement", seconds=500)
TICKETS = Tickets("settlement", seconds=70, keep=3, remembers=("network", "z"))
REFUNDS = Refunds("settlement", limit=1_500, seconds=100)
PULSE = Pulse("settlement", h=1.0, minimum=2)


def plan(
    pairs: list[tuple[Counter, bool]],
    reports: bool,
    settled: bool,
    pulse: bool,
    factors: Sequence[float] = (),
) -> Plan:
    """As a chain makes them; what is settled keeps tickets, and may watch the pulse. Every factor
    is earned by some of the counters."""
    counters, binds = [c for c, _ in pairs], [binds for _, binds in pairs]
    extra: list[Counter] = [KNOWN, TICKETS] if settled else []
    extra += [PULSE] if pulse else []
    weights = [
        Weight(factor, tuple(range(i % len(counters), len(counters), i + 1)))
        for i, factor in enumerate(factors)
    ]
    return Plan([*counters, *extra], [*binds, *[True] * len(extra)], reports, weights)


def segment(pair: tuple[Counter, bool]) -> object:
    """Counters of one plan have segments of their own."""
    counter: Any = pair[0]
    counts = counter.counts if isinstance(counter, Spike) else ""
    return (counter.rule, counter.by, getattr(counter, "seconds", 0), counts)


PLANS = st.builds(
    plan,
    st.lists(st.tuples(COUNTERS, st.booleans()), min_size=1, max_size=8, unique_by=segment),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.lists(st.floats(0.5, 3.0), max_size=4),
)
STEPS = st.one_of(
    st.just(0.0), st.floats(0, 3), st.floats(-10, 80), st.sampled_from([86_400.0, 200_000.0])
)
ASKS = st.fixed_dictionaries(
    {
        "plan": st.integers(0, 1),
        "subject": st.sampled_from("pq"),
        "members": st.lists(st.sampled_from("rstu"), min_size=8, max_size=8),
        "place": st.integers(0, 60),
        "refused": st.booleans(),
        "refused_by": st.frozensets(RULES),
        "step": STEPS,
        "jitter": st.floats(-1, 1),
        "price": st.sampled_from([0, 1, 700, 50_000]),
        "matures_after": st.sampled_from([None, 1_000, 30_000]),
        "ticket": st.booleans(),
        "score": st.sampled_from([1.0, 1.25, 0.9, 3.0]),
        "bound": st.sampled_from([1.25, 2.0, 1.1, inf]),
    }
)
TELLS = st.fixed_dictionaries(
    {
        "told": st.integers(0, 30),
        "failed": st.booleans(),
        "unallocated": st.booleans(),
        "step": STEPS,
        "network": st.sampled_from([None, "n1", "n2"]),
        "place": st.integers(0, 60),
    }
)


class Pair:
    """A memory and a server, asked and told the same."""

    def __init__(self, url: str) -> None:
        self.memory: Store = MemoryStore()
        self.redis: Store = RedisStore(url, name=os.urandom(6).hex(), deadline=PATIENT)
        self.now = START
        self.sent: list[tuple[Plan, str, bytes]] = []

    async def ask(self, plans: list[Plan], request: dict[str, Any]) -> None:
        which, plan = request["plan"], plans[request["plan"]]
        self.now += request["step"]
        # One counter never changes its limit here, as it never does within a policy: several plans
        # ask about the same subjects, each with counters of its own.
        subject = f"{which}{request['subject']}"
        ticket = len(self.sent).to_bytes(4) if request["ticket"] else b""
        question = Question(
            plan,
            subjects=tuple(subject for _ in plan.groups),
            members=tuple(request["members"][: len(plan.members)]),
            place=request["place"],
            refused=request["refused"],
            refused_by=request["refused_by"],
            at=self.now,
            jitter=request["jitter"],
            price=request["price"],
            ticket=ticket,
            matures_after=request["matures_after"],
            score=request["score"],
            bound=request["bound"],
        )
        answer, expected = await self.redis.decide(question), await self.memory.decide(question)
        for i, counter in enumerate(plan.counters):  # one at a time, so that failures can be read
            assert answer.readings.get(i) == expected.readings.get(i), counter
        assert answer == expected, question
        if answer.ticket:
            self.sent.append((plan, subject, answer.ticket))

    async def tell(self, fate: dict[str, Any]) -> None:
        self.now += fate["step"]
        if not self.sent:
            return
        plan, subject, ticket = self.sent[fate["told"] % len(self.sent)]
        settled = [counter for counter in plan.counters if isinstance(counter, SETTLED)]
        if fate["unallocated"]:
            rejected = self.settlement([*settled, TICKETS], subject, fate)
            rejected.outcome, rejected.ticket = "unallocated", ticket
            await self.settle([rejected])
            return
        if fate["failed"]:
            failed = self.settlement([*settled, TICKETS, REFUNDS], subject, fate)
            failed.outcome, failed.ticket = "failed", ticket
            await self.settle([failed])
            return
        redemption = Redemption(subject, KNOWN, TICKETS, at=self.now)
        ours, theirs = await self.memory.redeem(redemption), await self.redis.redeem(redemption)
        assert ours.counts == theirs.counts
        assert [(t.ticket, t.at, t.price) for t in ours.tickets] == [
            (t.ticket, t.at, t.price) for t in theirs.tickets
        ]
        outcomes = []
        for n, each in enumerate(ours.tickets):
            told = self.settlement(settled, subject, fate)
            told.outcome = "verified" if ours.counts and n == 0 else "repeated"
            told.price, told.sent_at, told.age = each.price, each.at, ours.at - each.at
            outcomes.append(told)
        await self.settle(outcomes)

    async def settle(self, outcomes: list[Settlement]) -> None:
        """The server is told with what its own tickets remembered in place of names."""
        if outcomes:
            assert await self.memory.settle(outcomes) == await self.redis.settle(outcomes)

    def settlement(self, counters: list[Any], subject: str, fate: dict[str, Any]) -> Settlement:
        plan = Plan(counters, [False for _ in counters])
        subjects: tuple[Subject, ...] = tuple(subject for _ in plan.groups)
        return Settlement(
            plan, subjects, "verified", network=fate["network"], place=fate["place"], at=self.now
        )


@pytest.mark.parametrize("server", SERVERS)
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    plans=st.lists(PLANS, min_size=2, max_size=2),
    events=st.lists(st.one_of(ASKS, ASKS, TELLS), min_size=15, max_size=50),
)
def test_every_kind_means_the_same_in_both_languages(
    servers: dict[str, EmbeddedServer], server: str, plans: list[Plan], events: list[Any]
) -> None:
    """Questions and outcomes in any order, at any times; every answer is the same."""

    async def compare() -> None:
        pair = Pair(servers[server].url)
        for event in events:
            await (pair.ask(plans, event) if "plan" in event else pair.tell(event))
        await pair.redis.aclose()

    asyncio.run(compare())


EVERYTHING: list[tuple[Counter, bool]] = [
    (Window("w", "phone", 30, 600), True),
    (Window("w", "network", 20, 600, most=5), True),
    (Window("w", "network", 30, 3_600, most=5), True),
    (Window("v", "network", 20, 600, most=50), True),
    (Ban("b", "network", 25, 600, "attempts", base=60, most=3), True),
    (Ban("y", "network", 5, 600, "attempts", base=60, most=3, yields=True), True),
    (Trust("e", "network"), True),
    (Trust("e", "x"), True),
    (Window("w", "x", 4, 60, most=2), True),
    (Spend("s", "x", 400_000, 600), True),
    (Spend("s", "x", 500_000, 600, 50_000), False),
    (Spend("s", "y", 2**40, 60), True),
    (Credit("c", "x", 40_000, 600), False),
    (Credit("c", "network", 20_000, 6_000), True),
    (Conversion("v", "x", seconds=60, hold=120), True),
    (Conversion("v", "prefix:3", seconds=67, hold=30, h=3.0, minimum=5), False),
    (Conversion("v", "network", seconds=600, hold=120, h=4.0), True),
]


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("converting", [0.05, 0.5, 0.95])
async def test_long_walks_end_where_they_should(
    servers: dict[str, EmbeddedServer], server: str, converting: float
) -> None:
    """Days of sends, verifications and failures, with outages, bots and people among them."""
    chance = random.Random(converting)
    pair = Pair(servers[server].url)
    walked = plan(EVERYTHING, reports=True, settled=True, pulse=True)
    for _ in range(600):
        people = chance.random() < 0.5
        await pair.ask(
            [walked],
            {
                "plan": 0,
                "subject": chance.choice("pq"),
                "members": [],
                "place": 0,
                "refused": chance.random() < 0.1,
                "refused_by": frozenset(),
                "step": chance.choice([0.0, chance.random(), 10 * chance.random(), -1.0]),
                "jitter": 0.0,
                "price": chance.choice([0, 7_000, 7_000, 50_000]),
                "matures_after": chance.choice([None, 30_000]),
                "ticket": chance.random() < 0.9,
                "score": 1.0,
                "bound": inf,
            },
        )
        if chance.random() < converting:
            await pair.tell(
                {
                    "told": -1 if chance.random() < 0.9 else chance.randrange(600),
                    "failed": chance.random() < 0.1,
                    "unallocated": chance.random() < 0.1,
                    "step": 20 * chance.random() if people else 1.5,
                    "network": chance.choice([None, "n1", "n2", str(chance.random())]),
                    "place": chance.randrange(9_999) if people else 7,
                }
            )
        if chance.random() < 0.02:
            pair.now += chance.choice([300, 3_000, 90_000])
    await pair.redis.aclose()
