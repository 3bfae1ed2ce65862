"""What callers are told when the server does not answer them."""

from __future__ import annotations

import asyncio
from collections import deque

import pytest

from pumpguard.store.transport.calls import AT_ONCE, Lost, fail_in_turn


async def test_a_fault_is_told_to_a_few_callers_per_tick() -> None:
    """Each of them goes on to decide alone; the loop is to come by other work in between."""
    loop = asyncio.get_running_loop()
    futures = [loop.create_future() for _ in range(2 * AT_ONCE + 3)]
    fail_in_turn(deque(((future, 0), lambda: Lost("gone")) for future in futures))
    told = []
    while not all(future.done() for future in futures):
        told.append(sum(future.done() for future in futures))
        await asyncio.sleep(0)
    assert told == [AT_ONCE, 2 * AT_ONCE]
    with pytest.raises(Lost, match="gone"):
        await futures[-1]
    assert len({id(future.exception()) for future in futures}) == len(futures)


async def test_who_has_gone_is_told_nothing() -> None:
    """A cancelled caller keeps its place, and the others get theirs."""
    gone, there = (asyncio.get_running_loop().create_future() for _ in range(2))
    gone.cancel()
    fail_in_turn(deque(((future, 0), lambda: Lost("gone")) for future in (gone, there)))
    assert gone.cancelled()
    assert isinstance(there.exception(), Lost)
