"""Windows with room, against an exact model: never more than was earned at that moment."""

from __future__ import annotations

import asyncio
import os
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pumpguard.counters import Trust, Window
from pumpguard.counters.plan import Plan
from pumpguard.store.base import Question, Settlement
from pumpguard.store.embedded import EmbeddedServer
from pumpguard.store.memory import MemoryStore
from pumpguard.store.redis import RedisStore
from tests.conftest import PATIENT
from tests.store.asking import START

SECONDS = 20
TRUST = Trust("trust", "network")
WINDOWS = (
    Window("log", "network", 2, SECONDS, max_factor=5),
    Window("log", "network", 5, 50, max_factor=5),
    Window("slices", "network", 4, 30, max_factor=200),
)
PLAN = Plan([TRUST, *WINDOWS], [True] * 4)
TOLD = Plan([TRUST], [False])
STEPS = st.one_of(
    st.just(0.0),
    st.floats(0.001, 3.0),
    st.sampled_from([2.0, 2.999, 3.0, 19.999, 20.0, 20.001, 33.0, 86_400.0, 200_000.0]),
    st.floats(-30.0, -0.001),
)


class NeverMoreThanEarned(RuleBasedStateMachine):
    """Requests and verifications at any times, on memory and on a server, beside a model.

    The model keeps every message and every verification, and works out from them what was earned.
    Whatever is let through must fit, with all that its true window holds, under the limit that the
    model says held at that moment; and so under ``max_factor`` times the limit.
    """

    server: EmbeddedServer

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.memory = MemoryStore()
        self.redis = RedisStore(self.server.url, name=os.urandom(6).hex(), deadline=PATIENT)
        self.now = START
        self.times: list[float] = []
        self.sums = (0, 0, int(START // 86_400))

    @initialize(start=st.floats(0, 86_400))
    def begin(self, start: float) -> None:
        self.now += start
        self.sums = (0, 0, int(self.now // 86_400))

    @rule(step=STEPS, count=st.integers(1, 6))
    def request(self, step: float, count: int) -> None:
        self.now = round(self.now + step, 3)
        for _ in range(count):
            question = Question(PLAN, ("subject",), at=self.now)
            answer = self.loop.run_until_complete(self.redis.decide(question))
            assert answer == self.loop.run_until_complete(self.memory.decide(question))
            room = self._room(answer.at)
            for i, window in enumerate(WINDOWS, 1):
                limit = min(window.limit * window.max_factor, window.limit + room)
                held = self._within(window.seconds)
                assert answer.readings[i].detail == (limit, room)
                assert held < limit or not answer.admitted
            if answer.admitted:
                self.times.append(max([answer.at, *self.times[-1:]]))
                self.sums = (self.sums[0], self.sums[1] + 1000, self.sums[2])
            elif step >= 0:
                spare = [self._within(w.seconds * 1.1) for w in WINDOWS]
                limits = [min(w.limit * w.max_factor, w.limit + room) for w in WINDOWS]
                assert any(held >= limit for held, limit in zip(spare, limits, strict=True))

    @rule(step=st.sampled_from([0.0, 1.0, 14.0]), count=st.integers(1, 12))
    def verified(self, step: float, count: int) -> None:
        self.now += step
        for _ in range(count):
            told = Settlement(TOLD, ("subject",), "verified", at=self.now)
            for store in (self.memory, self.redis):
                self.loop.run_until_complete(store.settle([told]))
            self._room(self.now)
            if self.sums[1]:
                self.sums = (self.sums[0] + 1000, *self.sums[1:])

    @invariant()
    def no_true_window_holds_more_than_the_most(self) -> None:
        for window in WINDOWS:
            most = window.limit * window.max_factor
            for first, last in zip(self.times, self.times[most:], strict=False):
                assert last - first >= window.seconds - 1e-6, (window, first, last)

    def teardown(self) -> None:
        self.loop.run_until_complete(self.redis.aclose())
        self.loop.close()

    def _within(self, seconds: float) -> int:
        latest = max([self.now, *self.times[-1:]])
        return sum(time > latest - seconds + 1e-6 for time in self.times)

    def _room(self, at: float) -> int:
        """What the sums come to, aged to this day."""
        verified, sent, day = self.sums
        today = max(day, int(at // 86_400))
        if today - day >= (15 if verified else 2):
            verified = sent = 0
        for _ in range(today - day):
            verified, sent = verified * 7 // 8, sent * 7 // 8
        self.sums = (verified, sent, today)
        return int(4 * max(0, verified - sent * 350 // 1000) // 1000)


def test_never_more_than_was_earned(servers: dict[str, EmbeddedServer]) -> None:
    """Neither store, in any true window, whatever the sequence of messages and verifications."""
    NeverMoreThanEarned.server = servers["valkey"]
    machine: Any = NeverMoreThanEarned
    machine.TestCase.settings = settings(
        max_examples=120,
        stateful_step_count=50,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    machine.TestCase("runTest").runTest()
