"""Deadlines by the clock, and by how often the event loop has come round; crowds by turns."""

from __future__ import annotations

import asyncio
import time
from collections import deque

import pytest

from pumpguard.errors import StoreError
from pumpguard.turns import (
    AT_ONCE,
    BEGUN,
    LONGEST_SLICE,
    SLICES,
    Pace,
    fail_in_turn,
    slices,
    within,
)


async def test_what_is_done_in_time_is_left_alone() -> None:
    """And the deadline does not fire later."""
    async with within(0.01):
        await asyncio.sleep(0)
    await asyncio.sleep(0.02)


async def test_a_deadline_ends_what_takes_too_long() -> None:
    """Like `asyncio.timeout`."""
    with pytest.raises(TimeoutError):
        async with within(0.01):
            await asyncio.Event().wait()


@pytest.mark.parametrize("seconds", [0.001, 0.0, -1.0])
async def test_a_busy_loop_does_not_use_a_deadline_up(seconds: float) -> None:
    """Each turn takes longer than the whole deadline, and it still lasts for some turns."""
    turns = 0

    async def be_busy() -> None:
        nonlocal turns
        async with within(seconds):
            while True:
                time.sleep(0.002)  # noqa: ASYNC251 - this is the fault
                turns += 1
                await asyncio.sleep(0)

    with pytest.raises(TimeoutError):
        await be_busy()
    assert SLICES <= turns <= 4 * SLICES


@pytest.mark.parametrize("seconds", [0.0, 0.05, 1.0, 10.0])
def test_slices_add_up(seconds: float) -> None:
    """A long deadline has more of them."""
    count, each = slices(seconds)
    assert count >= SLICES
    assert each <= LONGEST_SLICE
    assert count * each == pytest.approx(seconds)


async def test_a_crowd_comes_by_turns() -> None:
    """So many in each, in the order in which they came; whoever has gone keeps nobody waiting."""
    pace, come, turns = Pace(), list[int](), list[int]()

    async def one(number: int) -> None:
        await pace.wait()
        come.append(number)

    crowd = [asyncio.create_task(one(n)) for n in range(3 * BEGUN)]
    await asyncio.sleep(0)
    crowd[4].cancel()
    while not all(each.done() for each in crowd):
        before = len(come)
        await asyncio.sleep(0)
        turns.append(len(come) - before)
    assert come == [n for n in range(3 * BEGUN) if n != 4]
    assert max(turns) == BEGUN
    assert not pace.waiting


async def test_a_fault_is_told_to_a_few_in_each_turn() -> None:
    """Each of them goes on to decide alone; the loop is to come by other work in between."""
    loop = asyncio.get_running_loop()
    futures = [loop.create_future() for _ in range(2 * AT_ONCE + 3)]
    fail_in_turn(deque((future, lambda: StoreError("gone")) for future in futures))
    told = []
    while not all(future.done() for future in futures):
        told.append(sum(future.done() for future in futures))
        await asyncio.sleep(0)
    assert told == [AT_ONCE, 2 * AT_ONCE]
    with pytest.raises(StoreError, match="gone"):
        await futures[-1]
    assert len({id(future.exception()) for future in futures}) == len(futures)


async def test_who_has_gone_is_told_nothing() -> None:
    """A cancelled caller keeps its place, and the others get theirs."""
    gone, there = (asyncio.get_running_loop().create_future() for _ in range(2))
    gone.cancel()
    fail_in_turn(deque((future, lambda: StoreError("gone")) for future in (gone, there)))
    assert gone.cancelled()
    assert isinstance(there.exception(), StoreError)
