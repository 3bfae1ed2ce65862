"""A server whose clock jumps: no limit is exceeded by a clock that is set back, and one that runs
ahead costs no more than the time by which it did."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from hashlib import sha1

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pumpguard.store.lua import interpreter
from pumpguard.store.redis import RedisStore
from pumpguard.store.scripts import Script
from pumpguard.testing import FakeClock
from tests.conftest import PATIENT
from tests.store.asking import About, question, sliced, window
from tests.store.transport.stand_ins import fake, packed

LIMIT, SPAN = 3, 60  # the span in seconds


class Clockwork:
    """Answers EVALSHA and EVAL as Redis does, by a clock that tests set: a key whose time is over
    is gone, also when the clock is set back afterwards."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self._kept: dict[bytes, tuple[bytes, float]] = {}  # and until when, in ms
        self._scripts: dict[bytes, Script] = {}

    def answer(self, command: list[bytes]) -> bytes:
        """The reply to one command."""
        verb, named, count, *words = command
        if verb == b"EVAL":
            script = Script(sha1(named).hexdigest(), named.decode())
            self._scripts[script.sha.encode()] = script
        elif named in self._scripts:
            script = self._scripts[named]
        else:
            return b"-NOSCRIPT No matching script.\r\n"
        now, keys, arguments = round(self.clock() * 1000), words[: int(count)], words[int(count) :]
        for key in keys:
            if key in self._kept and self._kept[key][1] <= now:
                del self._kept[key]
        values = [self._kept[key][0] if key in self._kept else None for key in keys]
        reply, writes = interpreter().run(script, now, keys, values, arguments)
        for key, value, ttl in writes:
            self._kept[key] = value, self._kept[key][1] if ttl is None else now + ttl
        return packed([int(each) for each in reply])


@asynccontextmanager
async def counting(clock: FakeClock) -> AsyncIterator[RedisStore]:
    """A store over such a server."""
    async with fake(Clockwork(clock).answer) as server:
        store = RedisStore(server.url, deadline=PATIENT)
        try:
            yield store
        finally:
            await store.aclose()


def most_within(times: Sequence[int], span: int) -> int:
    """How many there are in the fullest of all windows of this length, both in ms: the store counts
    in whole ones."""
    return max((sum(0 <= later - each < span for later in times) for each in times), default=0)


async def asked(store: RedisStore, about: About) -> bool:
    """Whether a message is admitted now, by the server's clock."""
    return (await store.decide(replace(question(about), at=None))).admitted


def steps_of(*jumps: int) -> st.SearchStrategy[list[tuple[int, int]]]:
    """Times that pass, up to 40 s, each with one of these jumps of the clock, all in ms."""
    return st.lists(
        st.tuples(st.integers(0, 40_000), st.sampled_from([1000 * each for each in jumps])),
        max_size=25,
    )


BACK = steps_of(0, 0, -1, -59, -61, -7_200)
ANYWHERE = steps_of(0, 0, -1, -61, -7_200, 1, 59, 61, 7_200)


@pytest.mark.parametrize("about", [window(LIMIT, SPAN), sliced(LIMIT, SPAN)], ids=["log", "slices"])
@given(steps=BACK)
@settings(max_examples=15, deadline=None)
async def test_a_clock_that_is_set_back_frees_nothing(
    about: About, steps: list[tuple[int, int]]
) -> None:
    """In no window of the true time are there more than the limit, however often it is set back."""
    clock, true, admitted = FakeClock(), 0, list[int]()
    async with counting(clock) as store:
        for passes, jumps in steps:
            true += passes
            clock.advance((passes + jumps) / 1000)
            for _ in range(LIMIT + 1):
                if await asked(store, about):
                    admitted.append(true)
    assert most_within(admitted, SPAN * 1000) <= LIMIT


@given(steps=ANYWHERE)
@example(steps=[(1813, 0), (999, 59_000)])  # a millisecond before the first window ends
@example(steps=[(1813, 0), (1000, 59_000)])
@settings(max_examples=15, deadline=None)
async def test_whatever_a_clock_does_time_never_runs_backwards(
    steps: list[tuple[int, int]],
) -> None:
    """By the latest time that the server has ever told, no window holds more than the limit: a
    clock that runs ahead by a whole window may admit one limit more, and setting it right again
    none."""
    clock, latest, admitted = FakeClock(), 0, list[int]()
    async with counting(clock) as store:
        for passes, jumps in steps:
            latest = max(latest, round(clock.advance((passes + jumps) / 1000) * 1000))
            for _ in range(LIMIT + 1):
                if await asked(store, window(LIMIT, SPAN)):
                    admitted.append(latest)
    assert most_within(admitted, SPAN * 1000) <= LIMIT


async def test_it_counts_as_a_real_server_does() -> None:
    """So that what is found here says something of those."""
    clock = FakeClock()
    async with counting(clock) as store:
        assert [await asked(store, window(1, SPAN)) for _ in range(2)] == [True, False]
        clock.advance(SPAN)
        assert await asked(store, window(1, SPAN))
