"""The chart of decisions, drawn to scale; and what is made aside."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpguard import Action
from pumpguard.money.solve import dollars
from pumpguard.ops.console.chart import HEIGHT, WIDTH, chart
from pumpguard.ops.console.text import lasting
from pumpguard.ops.console.view import BackgroundCache
from pumpguard.times import when

COUNTS = st.dictionaries(st.sampled_from(Action), st.integers(1, 10_000)).map(Counter)


@given(st.lists(COUNTS, min_size=1, max_size=60))
def test_bars_are_to_scale_and_inside(minutes: list[Counter[Action]]) -> None:
    drawn = chart([(i * 60, counts) for i, counts in enumerate(minutes)])
    assert drawn.top >= max(counts.total() for counts in minutes)
    assert drawn.total == sum(counts.total() for counts in minutes)
    assert [len(minute.bars) for minute in drawn.minutes] == [len(c) for c in minutes if c]
    for minute, counts in zip(drawn.minutes, [c for c in minutes if c], strict=True):
        for bar in minute.bars:
            assert bar.x >= 0
            assert bar.x + bar.width <= WIDTH + 0.01
            assert bar.y >= -0.01
            assert bar.y + bar.height <= HEIGHT + 0.02
            wanted = counts[Action[bar.action.upper()]] / drawn.top * HEIGHT
            assert abs(bar.height - wanted) < 0.01
        stacked = sum(bar.height for bar in minute.bars)
        assert abs(stacked - counts.total() / drawn.top * HEIGHT) < 0.05


@pytest.mark.parametrize(
    ("most", "top"), [(0, 1), (7, 7), (11, 15), (55, 60), (100, 100), (101, 150), (999, 1000)]
)
def test_the_scale_is_a_round_number(most: int, top: int) -> None:
    assert chart([(0, Counter({Action.ALLOW: most}))]).top == top


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(1, "a minute"), (60, "a minute"), (61, "2 minutes"), (1_500, "25 minutes"),
     (3_599, "an hour"), (3_600, "an hour"), (5_401, "2 hours"), (14_400, "4 hours"),
     (86_400, "24 hours"), (604_800, "7 days")],
)  # fmt: skip
def test_durations(seconds: float, said: str) -> None:
    assert lasting(seconds) == said


def test_times_and_dollars() -> None:
    assert when(0) == "1970-01-01 00:00 UTC"
    assert [dollars(amount) for amount in (0, 0.001, 1234.5, float("inf"))] == [
        "$0.00", "$0.01", "$1,234.50", "unbounded"
    ]  # fmt: skip


async def test_what_is_slow_is_made_aside_once_and_again_when_it_is_old() -> None:
    made = 0

    async def make() -> int:
        nonlocal made
        await asyncio.sleep(0)
        made += 1
        return made

    forever, never = BackgroundCache(make, 1e9), BackgroundCache(make, 0.0)
    assert [forever.get(), forever.get()] == [None, None]
    assert await forever.wait() == 1
    assert await forever.wait() == forever.get() == 1
    assert await never.wait() == 2
    assert await never.wait() == 3


async def test_what_cannot_be_made_is_logged_and_harms_no_page(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def make() -> int:
        raise RuntimeError("oops")

    cache = BackgroundCache(make, 1e9)
    assert await cache.wait() is None
    assert cache.get() is None
    assert caplog.text.count("PG050") == 1
