"""Deadlines by the clock, and by how often the event loop has come round."""

from __future__ import annotations

import asyncio
import time

import pytest

from pumpguard.turns import LONGEST_SLICE, SLICES, slices, within


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
