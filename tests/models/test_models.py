"""Every store against the models, under any sequence of events that hypothesis can find."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import replace
from itertools import count
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from pumpguard.counters import KINDS, Counter, Known, Tickets
from pumpguard.counters.plan import Plan
from pumpguard.store.base import (
    Answer,
    Outcome,
    Question,
    Redeemed,
    Redemption,
    Settlement,
    Store,
    Subject,
)
from pumpguard.store.embedded import EmbeddedServer
from pumpguard.store.memory import MemoryStore
from pumpguard.store.redis import RedisStore
from tests.conftest import PATIENT
from tests.models.kinds import MODELS
from tests.models.plan import StoreModel
from tests.models.scenarios import SCENARIOS, Scenario

START = 1_700_000_000_000
"""ms."""

NUMBERS, PLACES = st.sampled_from("ab"), st.sampled_from("xxxy")
COUNTRIES = st.sampled_from(["GB", "IE", "FR", "DE"])
POSITIONS = st.sampled_from([0, 1, 5, 11, 12, 30, 1_000, 9_999]) | st.integers(0, 40)
PRICES = st.sampled_from([0, 1, 40, 100, 200, 300, 500, 800, 1_000, 1_001, 5_000])
NETWORKS = st.sampled_from([None, "n1", "n1", "n2", "n3"])
AGES = st.sampled_from([0, 1_000, 2_999, 3_000, 9_000, 9_100, 20_000, 60_000, 7_000_000])
OUTCOMES: tuple[Outcome, ...] = ("verified",) * 3 + ("repeated", "failed", "failed", "unallocated")
MANNERS: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        *[{}] * 6,
        {"refused": True},
        {"refused": True, "refused_by": frozenset({"number"})},
        {"refused": True, "refused_by": frozenset({"limit"}), "jitter": 0.3},
        {"jitter": -1.0},
        {"score": 0.5},
        {"score": 3.0, "jitter": 0.3},
        {"known_only": True},
        {"overrides_version": b"others"},
    ]
)
RIPE = st.sampled_from([None, 30_000, 100_000, 200_000, 700_000])

T = TypeVar("T")

numbered = count()


class Stores:
    """All stores, side by side in one event loop."""

    def __init__(self, servers: dict[str, EmbeddedServer]) -> None:
        self.loop = asyncio.new_event_loop()
        self.all: dict[str, Store] = {"memory": MemoryStore()}
        for name, server in servers.items():
            self.all[name] = RedisStore(server.url, name="models", deadline=PATIENT)

    def decide(self, question: Question) -> dict[str, Answer]:
        return self._everywhere(lambda store: store.decide(question))

    def redeem(self, redemption: Redemption) -> dict[str, Redeemed]:
        return self._everywhere(lambda store: store.redeem(redemption))

    def settle(self, settlement: Settlement) -> dict[str, int]:
        return self._everywhere(lambda store: store.settle([settlement]))

    def settle_one(self, name: str, settlement: Settlement) -> None:
        self.loop.run_until_complete(self.all[name].settle([settlement]))

    def close(self) -> None:
        self._everywhere(lambda store: store.aclose())
        self.loop.close()

    def _everywhere(self, ask: Callable[[Store], Awaitable[T]]) -> dict[str, T]:
        async def each() -> dict[str, T]:
            answers = await asyncio.gather(*map(ask, self.all.values()))
            return dict(zip(self.all, answers, strict=True))

        return self.loop.run_until_complete(each())


@pytest.fixture(scope="module")
def stores(servers: dict[str, EmbeddedServer]) -> Iterator[Stores]:
    """Opened once; each sequence of events has subjects of its own."""
    opened = Stores(servers)
    yield opened
    opened.close()


def telling(counters: Iterable[Counter]) -> Plan:
    """What an outcome is told to."""
    hear = tuple(counters)
    return Plan(hear, [False] * len(hear))


def machine(scenario: Scenario, stores: Stores) -> type[RuleBasedStateMachine]:
    """Everything that may happen to the counters of a scenario, on all stores and on the model."""
    steps = st.one_of(
        st.just(0),
        st.integers(1, 3_000),
        st.sampled_from(scenario.steps),
        st.integers(-5_000, -1),  # clocks that step back
    )
    counters = (*scenario.plans[0].counters, *scenario.settling)
    tickets = next((each for each in counters if isinstance(each, Tickets)), None)
    known = next((each for each in counters if isinstance(each, Known)), None)
    told = {name: telling(each for each in counters if each.hears(name)) for name in OUTCOMES}
    heard = [name for name in OUTCOMES if told[name].counters]

    class AsTheModel(RuleBasedStateMachine):
        """Whatever happens, every store answers as the model does."""

        def __init__(self) -> None:
            super().__init__()
            self.example, self.now, self.sent = f"{next(numbered)}", START, 0
            self.model = StoreModel()
            self.tickets: list[tuple[bytes, str, str]] = []

        @initialize(start=st.integers(0, 100_000))
        def begin(self, start: int) -> None:
            self.now += start

        @rule(
            step=steps,
            plan=st.sampled_from(scenario.plans),
            number=NUMBERS,
            place=PLACES,
            member=COUNTRIES,
            last4=POSITIONS,
            price=PRICES,
            ripe=RIPE,
            manner=MANNERS,
            times=st.integers(1, scenario.repeats),
        )
        def request(
            self,
            step: int,
            plan: Plan,
            number: str,
            place: str,
            member: str,
            last4: int,
            price: int,
            ripe: int | None,
            manner: dict[str, Any],
            times: int,
        ) -> None:
            self.now += step
            for _ in range(times):
                self.sent += 1
                question = Question(
                    plan,
                    tuple(self.subject(by, number, place) for by in plan.groups),
                    members=(member,) * len(plan.members),
                    last4=last4,
                    at=self.now / 1000,
                    price=price,
                    ticket=self.sent.to_bytes(4) if plan.writes_tickets else b"",
                    matures_after=ripe,
                    bound=4.0,
                    **manner,
                )
                expected = self.model.decide(question)
                for name, answer in stores.decide(question).items():
                    assert answer == expected, name
                if expected.ticket:
                    self.tickets.append((expected.ticket, number, place))

        if heard:

            @rule(
                step=steps,
                what=st.sampled_from(heard),
                number=NUMBERS,
                place=PLACES,
                last4=POSITIONS,
                price=PRICES,
                age=AGES,
                network=NETWORKS,
                back=st.integers(0, 4),
                times=st.integers(1, scenario.repeats),
            )
            def outcome(
                self,
                step: int,
                what: Outcome,
                number: str,
                place: str,
                last4: int,
                price: int,
                age: int,
                network: str | None,
                back: int,
                times: int,
            ) -> None:
                self.now += step
                plan, ticket = told[what], b"none"
                if what in ("failed", "unallocated") and self.tickets:
                    ticket, number, place = self.tickets[-1 - back % len(self.tickets)]
                settlement = Settlement(
                    plan,
                    tuple(self.subject(by, number, place) for by in plan.groups),
                    what,
                    ticket=ticket,
                    price=price,
                    sent_at=self.now - age,
                    age=age,
                    network=network,
                    last4=last4,
                    at=self.now / 1000,
                )
                for _ in range(times):
                    expected = self.model.settle(settlement)
                    for name, applied in stores.settle(settlement).items():
                        assert applied == expected, name

        if tickets is not None and known is not None:

            @rule(step=steps, number=NUMBERS, last4=POSITIONS)
            def verified(self, step: int, number: str, last4: int) -> None:
                """A number is verified, and whoever has to know is told as the guard does."""
                assert known is not None
                assert tickets is not None
                self.now += step
                redemption = Redemption(self.example + number, known, tickets, at=self.now / 1000)
                expected = self.model.redeem(redemption)
                for name, redeemed in stores.redeem(redemption).items():
                    assert _named(redeemed) == _named(expected), name
                    self.settled(name, redeemed, number, last4)
                self.settled(None, expected, number, last4)

        def settled(self, store: str | None, redeemed: Redeemed, number: str, last4: int) -> None:
            """Subjects that a ticket remembers are told by what it remembered of them."""
            assert tickets is not None
            for n, ticket in enumerate(redeemed.tickets):
                remembered = dict(zip(tickets.remembers, ticket.remembered, strict=True))
                outcome: Outcome = "verified" if redeemed.counts and n == 0 else "repeated"
                hear = told[outcome].counters
                plan = telling(c for c in hear if remembered.get(c.by, "") is not None)
                subjects: tuple[Subject, ...] = tuple(
                    remembered.get(by) or self.subject(by, number, "x") for by in plan.groups
                )
                settlement = Settlement(
                    plan,
                    subjects,
                    outcome,
                    price=ticket.price,
                    sent_at=ticket.at,
                    age=redeemed.at - ticket.at,
                    last4=last4,
                    at=self.now / 1000,
                )
                if store is None:
                    self.model.settle(settlement)
                else:
                    stores.settle_one(store, settlement)

        def subject(self, by: str, number: str, place: str) -> str:
            return self.example + {"phone": number, "network": place}.get(by, "")

    return AsTheModel


def _named(redeemed: Redeemed) -> Redeemed:
    """The same without whom the tickets remember: stores keep no names."""
    tickets = tuple(
        replace(each, remembered=tuple(None if who is None else "" for who in each.remembered))
        for each in redeemed.tickets
    )
    return replace(redeemed, tickets=tickets)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_store_answers_as_its_model(scenario: str, stores: Stores) -> None:
    """Requests, verifications and failures, at times that jump, stand still and run backwards."""
    run_state_machine_as_test(
        machine(SCENARIOS[scenario], stores),
        settings=settings(
            max_examples=20,
            stateful_step_count=40,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_every_kind_has_a_model_that_is_played() -> None:
    """In some scenario, also whoever comes later."""
    asked = {kind for each in SCENARIOS.values() for kind in each.plans[0].kinds}
    settling = {type(counter) for each in SCENARIOS.values() for counter in each.settling}
    assert asked | settling == set(KINDS) == set(MODELS)
