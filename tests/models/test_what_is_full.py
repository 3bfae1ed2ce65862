"""With a memory of what is full in front of it, a store decides as without it.

The model is the bare store. Whatever it refuses is refused, and counted alike; what the memory
refuses beyond that, an outcome has made room for within the last second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from itertools import count

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from pumpguard.counters import (
    Ban,
    Counter,
    Credit,
    Distinct,
    Known,
    Neighbours,
    Spend,
    Spike,
    Tickets,
    Trust,
    Unsent,
    Window,
)
from pumpguard.counters.plan import Plan
from pumpguard.decision import Action
from pumpguard.store.base import Answer, Outcome, Question, Redemption, Settlement, Store
from pumpguard.store.embedded import EmbeddedServer
from pumpguard.store.full_cache import FullCache
from pumpguard.store.in_front import StoreInFront
from pumpguard.store.memory import MemoryStore
from pumpguard.store.redis import RedisStore
from tests.conftest import PATIENT
from tests.models.plan import StoreModel

START = 1_700_000_000_000
"""ms."""

STALE = 1_000
"""ms for which an outcome may be overlooked."""

KNOWN, TICKETS = Known("settlement", clients=1), Tickets("settlement", remembers=("network",))
RULES = frozenset({"limit", "pair", "credit", "budget", "near", "spread", "unsent"})


def ban(name: str, **more: object) -> Ban:
    """Of five seconds, then fifteen, and so on."""
    shape = {"base": 5, "factor": 3.0, "cap": 60, "memory": 40, "fed_by": RULES, **more}
    return Ban(name, "network", shape.pop("limit", 3), 20, **shape)  # type: ignore[arg-type]


COUNTERS: dict[str, tuple[Counter, ...]] = {
    "windows, and a ban after attempts": (
        Window("limit", "network", 2, 20),
        Window("limit", "network", 4, 60),
        Window("pair", "phone", 2, 30, counts="attempts"),
        Window("wide", "country", 600, 30, counts="attempts"),
        Spike("spike", counts="attempts"),
        ban("burst", limit=9, fed_by="attempts"),
        ban("strikes"),
    ),
    "what is kept for customers": (
        KNOWN,
        TICKETS,
        Trust("trust", "network"),
        Window("limit", "network", 5, 20, reserved=3, max_factor=3),
        Spend("budget", "country", 1_000, 60, reserved=400),
        Unsent("unsent", "network", 1, 20),
        ban("strikes", yields=True, except_known=True, max_factor=2),
        ban("burst", limit=9, fed_by="attempts", max_factor=2),
    ),
    "credit, of which more depends on the number": (
        KNOWN,
        TICKETS,
        Credit("credit", "country", 500, 600, reserved=0.5),
        Credit("credit", "network", 900, 600, action=Action.CHALLENGE, yields=True),
        Neighbours("near", "country", 2, 20, 10),
        Distinct("spread", "network", 2, 60, "country"),
        ban("strikes", challenges=True, except_known=True),
        ban("hidden", limit=4, action=Action.SHADOW, except_known=True),
    ),
}


class Watched(StoreInFront):
    """A store that remembers whether it has decided a question."""

    decided = False

    async def decide(self, question: Question) -> Answer:
        self.decided = True
        return await self.store.decide(question)


class Both:
    """A store, and a memory in front of it."""

    def __init__(self, store: Store) -> None:
        self.store = Watched(store)
        self.cache = FullCache(self.store)


class Stores:
    """All of them, in one event loop."""

    def __init__(self, servers: dict[str, EmbeddedServer]) -> None:
        self.loop = asyncio.new_event_loop()
        self.remembered = 0
        """How often a memory has refused what the bare store refuses."""
        self.all = {"memory": Both(MemoryStore())}
        for name, server in servers.items():
            self.all[name] = Both(RedisStore(server.url, name="full", deadline=PATIENT))

    def close(self) -> None:
        for both in self.all.values():
            self.loop.run_until_complete(both.cache.aclose())
        self.loop.close()


@pytest.fixture(scope="module")
def stores(servers: dict[str, EmbeddedServer]) -> Iterator[Stores]:
    """Opened once; each sequence of events has subjects of its own."""
    opened = Stores(servers)
    yield opened
    opened.close()


numbered = count()


def bans_of(question: Question, answer: Answer) -> dict[int, tuple[int, float]]:
    """The bans of which it speaks: their levels, and how long they last."""
    return {
        i: (each.used, round(each.wait, 3))
        for i, each in answer.readings.items()
        if isinstance(question.plan.counters[i], Ban)
    }


STEPS = st.sampled_from([0, 0, 0, 1, 50, 300, 399, 400, 799, 800, 5_000, 19_999, 20_000, 60_000])
OUTCOMES: Sequence[Outcome] = ("verified", "failed", "repeated")


def machine(counters: Sequence[Counter], stores: Stores) -> type[RuleBasedStateMachine]:
    """Requests, some with proof, and outcomes."""
    binding = [True] * len(counters)
    plans = [Plan(counters, binding, reports=False)] * 4
    plans += [
        Plan(counters, binding, reports=False, proved=True),
        Plan(counters[: len(counters) // 2], binding[: len(counters) // 2], reports=False),
        Plan(counters, [i % 3 > 0 for i in range(len(counters))], reports=False),
    ]
    told = {name: tuple(c for c in counters if c.hears(name)) for name in OUTCOMES}

    class AsTheBareStore(RuleBasedStateMachine):
        """Whatever happens, nobody is admitted whom the bare store would refuse."""

        def __init__(self) -> None:
            super().__init__()
            self.example, self.now, self.sent = f"{next(numbered)}", START, 0
            self.room_made_at, self.over = 0, False
            self.model = StoreModel()
            self.tickets: list[tuple[bytes, str, str]] = []

        def subjects(self, plan: Plan, number: str, place: str) -> tuple[str, ...]:
            named = {"phone": number, "network": place}
            return tuple(self.example + named.get(by, "") for by in plan.groups)

        @rule(
            step=STEPS,
            plan=st.sampled_from(plans),
            number=st.sampled_from("abcdef"),
            place=st.sampled_from("xxy"),
            price=st.sampled_from([100, 100, 100, 300]),
            refused_by=st.sampled_from([frozenset(), frozenset(), frozenset({"limit"})]),
            times=st.integers(1, 4),
        )
        def request(
            self,
            step: int,
            plan: Plan,
            number: str,
            place: str,
            price: int,
            refused_by: frozenset[str],
            times: int,
        ) -> None:
            self.now += step
            for _ in range(times):
                if self.over:
                    return
                self.sent += 1
                question = Question(
                    plan,
                    self.subjects(plan, number, place),
                    members=(number,) * len(plan.members),
                    last4=ord(number),
                    refused=bool(refused_by),
                    refused_by=refused_by,
                    at=self.now / 1000,
                    price=price,
                    ticket=self.sent.to_bytes(4) if plan.writes_tickets else b"",
                )
                expected = self.model.decide(question)
                for name, both in stores.all.items():
                    self.asked(name, both, question, expected)
                if expected.ticket:
                    self.tickets.append((expected.ticket, number, place))

        def asked(self, name: str, both: Both, question: Question, expected: Answer) -> None:
            both.store.decided = False
            answer = stores.loop.run_until_complete(both.cache.decide(question))
            if both.store.decided:
                assert answer == expected, name
                return
            assert not answer.admitted
            if expected.admitted:
                assert self.now - self.room_made_at <= STALE, name
                self.over = True  # from here on they have counted different things
                return
            stores.remembered += 1
            if self.now - self.room_made_at > STALE:
                assert answer.readings.keys() <= expected.readings.keys(), name
                said, meant = bans_of(question, answer), bans_of(question, expected)
                # Of several bans that end it, a process may know only one.
                assert said == (meant if not answer.recalled else {i: meant[i] for i in said}), name

        @rule(
            step=STEPS,
            what=st.sampled_from(OUTCOMES),
            back=st.integers(0, 4),
            price=st.sampled_from([100, 300]),
        )
        def outcome(self, step: int, what: Outcome, back: int, price: int) -> None:
            self.now += step
            if not (self.tickets and told[what]):
                return
            ticket, number, place = self.tickets[-1 - back % len(self.tickets)]
            self.room_made_at = self.now
            plan = Plan(told[what], [False] * len(told[what]))
            settlement = Settlement(
                plan,
                self.subjects(plan, number, place),
                what,
                ticket=ticket,
                price=price,
                sent_at=self.now - 9_000,
                age=9_000,
                last4=ord(number),
                at=self.now / 1000,
            )
            self.model.settle(settlement)
            for both in stores.all.values():
                stores.loop.run_until_complete(both.cache.settle([settlement]))

        @rule(step=STEPS, number=st.sampled_from("abc"))
        def verified(self, step: int, number: str) -> None:
            """From now on it is known."""
            self.now += step
            self.room_made_at = self.now
            redemption = Redemption(self.example + number, KNOWN, TICKETS, at=self.now / 1000)
            self.model.redeem(redemption)
            for both in stores.all.values():
                stores.loop.run_until_complete(both.cache.redeem(redemption))

    return AsTheBareStore


@pytest.mark.parametrize("played", COUNTERS)
def test_the_memory_refuses_what_the_store_would(played: str, stores: Stores) -> None:
    """And counts it as the store would: the next ban comes with the same request."""
    before = stores.remembered
    run_state_machine_as_test(
        machine(COUNTERS[played], stores),
        settings=settings(
            max_examples=60,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert stores.remembered > before + 20
