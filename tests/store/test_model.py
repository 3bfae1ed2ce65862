"""Every store against an exact model, under any sequence of requests that hypothesis can find."""

from __future__ import annotations

import asyncio
import os
from collections import defaultdict
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pumpguard.counters import Window
from pumpguard.counters.plan import Plan
from pumpguard.store.base import Question
from pumpguard.store.embedded import EmbeddedServer
from pumpguard.store.memory import MemoryStore
from pumpguard.store.redis import RedisStore
from tests.conftest import PATIENT
from tests.store.asking import START

SECONDS = 20
WINDOWS = {
    "one": [Window("r", "one", 1, SECONDS)],
    "shared": [Window("r", "shared", 2, 5), Window("r", "shared", 4, SECONDS)],
    "slices": [Window("r", "slices", 13, SECONDS, max_factor=40)],  # 520: too many for a log
}
STEPS = st.one_of(
    st.just(0.0),
    st.floats(0.001, 3.0),
    st.sampled_from([1.999, 2.0, 2.001, 4.999, 5.0, 19.999, 20.0, 20.001, 22.0]),  # edges
    st.floats(-30.0, -0.001),  # and clocks that step back
)


class NeverOverAdmit(RuleBasedStateMachine):
    """Requests over four windows at any times, on memory and on a server, beside a model.

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

    @rule(step=STEPS, names=st.sets(st.sampled_from(sorted(WINDOWS)), min_size=1))
    def request(self, step: float, names: set[str]) -> None:
        self.now = round(self.now + step, 3)
        counters = [window for name in sorted(names) for window in WINDOWS[name]]
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
            assert any(self._within(c.by, c.seconds * 1.1) >= c.limit for c in refusing)
        self.latest = max(self.latest, self.now)

    @invariant()
    def no_true_window_holds_more_than_its_limit(self) -> None:
        for name, times in self.admitted.items():
            for window in WINDOWS[name]:
                for first, last in zip(times, times[window.limit :], strict=False):
                    assert last - first >= window.seconds - 1e-6, (name, first, last)

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
