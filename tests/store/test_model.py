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

from pumpguard.counters import Ban, Distinct, Neighbours, Window
from pumpguard.decision import Action
from pumpguard.store.base import Plan, Question
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
        counters = [Window("r", name, LIMITS[name], SECONDS) for name in sorted(names)]
        plan = Plan(counters, [True] * len(counters))
        question = Question(plan, ("subject",) * len(plan.groups), at=self.now)
        answer = self.loop.run_until_complete(self.redis.decide(question))
        assert answer == self.loop.run_until_complete(self.memory.decide(question))
        if answer.admitted:
            # An admission after a step back is kept under the latest time that was seen.
            for name in names:
                times = self.admitted[name]
                times.append(max([answer.at, *times[-1:]]))
        elif self.now >= self.latest:
            refusing = [counters[i] for i, reading in answer.readings.items() if reading.full]
            assert any(self._within(c.by, SECONDS * 1.1) >= c.limit for c in refusing)
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
BY = st.sampled_from(["x", "y", "z"])
ACTIONS = st.sampled_from([Action.CHALLENGE, Action.THROTTLE, Action.BLOCK])
COUNTERS: st.SearchStrategy[Any] = st.one_of(
    st.builds(
        Window, RULES, BY, st.sampled_from([1, 3, 10, 11, 40, 70_000]), st.just(60),
        ACTIONS, st.sampled_from(["attempts", "admissions"]),
    ),
    st.builds(Distinct, RULES, BY, st.just(2), st.just(61), st.just("country"), ACTIONS),
    st.builds(Neighbours, RULES, BY, st.just(2), st.just(62), st.just(10), ACTIONS),
    st.builds(
        Ban, RULES, BY, st.sampled_from([1, 2, 12]), st.just(63),
        st.one_of(st.just("attempts"), st.frozensets(RULES, min_size=1)),
        base=st.just(5), cap=st.just(100), memory=st.just(50), action=ACTIONS,
    ),
)  # fmt: skip
PLANS = st.builds(
    lambda pairs, reports: Plan([c for c, _ in pairs], [binds for _, binds in pairs], reports),
    st.lists(
        st.tuples(COUNTERS, st.booleans()),
        min_size=1,
        max_size=8,
        unique_by=lambda pair: (pair[0].rule, pair[0].by, pair[0].seconds),
    ),
    st.booleans(),
)
REQUESTS = st.fixed_dictionaries(
    {
        "plan": st.integers(0, 3),
        "subject": st.sampled_from("pq"),
        "member": st.sampled_from("rstu"),
        "place": st.integers(0, 60),
        "refused": st.booleans(),
        "refused_by": st.frozensets(RULES),
        "step": st.one_of(st.just(0.0), st.floats(-10, 80)),
        "jitter": st.floats(-1, 1),
    }
)


@pytest.mark.parametrize("server", SERVERS)
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    plans=st.lists(PLANS, min_size=4, max_size=4),
    requests=st.lists(REQUESTS, min_size=1, max_size=30),
)
def test_every_kind_means_the_same_in_both_languages(
    servers: dict[str, EmbeddedServer], server: str, plans: list[Plan], requests: list[Any]
) -> None:
    """Lua and Python give the same answer to the same questions, all kinds mixed.

    One counter never changes its limit here, as it never does within a policy: several plans ask
    about the same subjects, each with counters of its own.
    """

    async def compare() -> None:
        memory = MemoryStore()
        redis = RedisStore(servers[server].url, name=os.urandom(6).hex(), deadline=PATIENT)
        now = START
        for request in requests:
            which, now = request["plan"], now + request["step"]
            plan = plans[which]
            question = Question(
                plan,
                subjects=tuple(f"{which}{request['subject']}" for _ in plan.groups),
                members=(request["member"],) * len(plan.members),
                place=request["place"],
                refused=request["refused"],
                refused_by=request["refused_by"],
                at=now,
                jitter=request["jitter"],
            )
            assert await redis.decide(question) == await memory.decide(question), question
        await redis.aclose()

    asyncio.run(compare())
