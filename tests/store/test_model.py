"""Every store against an exact model, under any sequence of requests that hypothesis can find."""

from __future__ import annotations

import asyncio
import os
from collections import defaultdict
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pumpguard.counters import Ban, Distinct, Neighbours, Window, identity
from pumpguard.decision import Action
from pumpguard.store.base import Entry, Question
from pumpguard.store.embedded import EmbeddedServer
from pumpguard.store.memory import MemoryStore
from pumpguard.store.redis import RedisStore
from tests.conftest import PATIENT, SERVERS
from tests.store.asking import START

SECONDS = 20
LIMITS = {"one": 1, "log": 4, "slices": 13}
STEPS = st.one_of(
    st.just(0.0),
    st.floats(0.001, 3.0),
    st.sampled_from([1.999, 2.0, 2.001, 19.999, 20.0, 20.001, 22.0]),  # the edges of slices
    st.floats(-30.0, -0.001),  # and clocks that step back
)


class NeverOverAdmit(RuleBasedStateMachine):
    """Requests over three windows at any times, on memory and on a server, beside a model.

    The model keeps every admission. In no true window ``(t − W, t]`` may there ever be more than
    the limit; both stores must agree on every answer; and a window that has room by the model
    with a slice to spare must admit.
    """

    server: EmbeddedServer

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.memory = MemoryStore()
        self.redis = RedisStore(self.server.url, name=os.urandom(6).hex(), deadline=PATIENT)
        self.now = START
        self.latest = START
        self.admitted: dict[str, list[float]] = defaultdict(list)

    @initialize(start=st.floats(0, 100))
    def begin(self, start: float) -> None:
        self.now += start

    @rule(step=STEPS, names=st.sets(st.sampled_from(sorted(LIMITS)), min_size=1))
    def request(self, step: float, names: set[str]) -> None:
        self.now = round(self.now + step, 3)
        counters = [Window("r", name, "subject", LIMITS[name], SECONDS) for name in sorted(names)]
        question = Question(tuple(Entry(counter) for counter in counters), at=self.now)
        answer = self.loop.run_until_complete(self.redis.decide(question))
        assert answer == self.loop.run_until_complete(self.memory.decide(question))
        if answer.admitted:
            # An admission after a step back is kept under the latest time that was seen.
            for name in names:
                times = self.admitted[name]
                times.append(max([answer.at, *times[-1:]]))
        elif self.now >= self.latest:
            refusing = [c for c, r in zip(counters, answer.readings, strict=True) if r.full]
            assert any(self._within(c.dimension, SECONDS * 1.1) >= c.limit for c in refusing)
        self.latest = max(self.latest, self.now)

    @invariant()
    def no_true_window_holds_more_than_its_limit(self) -> None:
        for name, times in self.admitted.items():
            limit = LIMITS[name]
            for first, last in zip(times, times[limit:], strict=False):
                assert last - first >= SECONDS - 1e-6, (name, first, last)

    def teardown(self) -> None:
        self.loop.run_until_complete(self.redis.aclose())
        self.loop.close()

    def _within(self, name: str, seconds: float) -> int:
        return sum(time > self.latest - seconds for time in self.admitted[name])


def test_never_over_admits(servers: dict[str, EmbeddedServer]) -> None:
    """Neither store, in any true window, whatever the sequence of requests."""
    NeverOverAdmit.server = servers["valkey"]
    machine: Any = NeverOverAdmit
    machine.TestCase.settings = settings(
        max_examples=150,
        stateful_step_count=60,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    machine.TestCase("runTest").runTest()


RULES = st.sampled_from(["a", "b", "c"])
SUBJECTS = st.sampled_from(["x", "y"])
ACTIONS = st.sampled_from([Action.CHALLENGE, Action.THROTTLE, Action.BLOCK])
COUNTERS: st.SearchStrategy[Any] = st.one_of(
    st.builds(
        Window, RULES, st.just("d"), SUBJECTS, st.sampled_from([1, 3, 10, 11, 40]), st.just(60),
        ACTIONS, st.sampled_from(["attempts", "admissions"]),
    ),
    st.builds(
        Distinct, RULES, st.just("d"), SUBJECTS, st.just(2), st.just(61),
        st.sampled_from("pqrs"), ACTIONS,
    ),
    st.builds(
        Neighbours, RULES, st.just("d"), SUBJECTS, st.just(2), st.just(62),
        st.integers(0, 60), st.just(10), ACTIONS,
    ),
    st.builds(
        Ban, RULES, st.just("d"), SUBJECTS, st.sampled_from([1, 2, 12]), st.just(63),
        st.one_of(st.just("attempts"), st.frozensets(RULES, min_size=1)),
        base=st.just(5), cap=st.just(100), memory=st.just(50), action=ACTIONS,
    ),
)  # fmt: skip
QUESTIONS = st.tuples(
    st.lists(
        st.tuples(COUNTERS, st.booleans()),
        min_size=1,
        max_size=8,
        unique_by=lambda pair: identity(pair[0]),
    ),
    st.booleans(),
    st.frozensets(RULES),
    st.one_of(st.just(0.0), st.floats(-10, 80)),
    st.floats(-1, 1),
)


@pytest.mark.parametrize("server", SERVERS)
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(questions=st.lists(QUESTIONS, min_size=1, max_size=30))
def test_every_kind_means_the_same_in_both_languages(
    servers: dict[str, EmbeddedServer], server: str, questions: list[Any]
) -> None:
    """Lua and Python give the same answer to the same questions, all kinds mixed."""

    async def compare() -> None:
        memory = MemoryStore()
        redis = RedisStore(servers[server].url, name=os.urandom(6).hex(), deadline=PATIENT)
        now = START
        for pairs, refused, refused_by, step, chance in questions:
            now += step
            entries = tuple(Entry(counter, binds) for counter, binds in pairs)
            question = Question(entries, refused, refused_by, now, chance)
            assert await redis.decide(question) == await memory.decide(question), question
        await redis.aclose()

    asyncio.run(compare())
