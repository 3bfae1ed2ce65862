"""Searches: whose word counts, and how long they may take."""

from __future__ import annotations

import asyncio

import pytest

from pumpguard.errors import StoreError
from pumpguard.store.transport import topology
from pumpguard.store.transport.calls import Unreachable
from pumpguard.store.transport.topology import SETTLE, Rank, latest
from tests.conftest import PATIENT


async def says(word: str, rank: Rank, after: float = 0.0) -> tuple[Rank, str]:
    await asyncio.sleep(after)
    return rank, word


async def fails(after: float = 0.0) -> tuple[Rank, str]:
    await asyncio.sleep(after)
    raise Unreachable("nobody there")


async def test_the_highest_rank_counts_and_not_the_first() -> None:
    """Also when it comes a moment later."""
    found = await latest([says("old", (True, 3)), says("new", (True, 4), SETTLE / 4), fails()])
    assert found == "new"
    assert await latest([says("cut off", (False, 9)), says("in touch", (True, 1))]) == "in touch"


async def test_who_has_all_answers_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault is an answer too."""
    monkeypatch.setattr(topology, "SETTLE", 2 * PATIENT)
    monkeypatch.setattr(topology, "PATIENCE", 2 * PATIENT)
    async with asyncio.timeout(PATIENT):
        assert await latest([says("yes", (True, 1)), fails()]) == "yes"


async def test_who_has_one_answer_does_not_wait_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """But a fault is not the one."""
    monkeypatch.setattr(topology, "PATIENCE", 2 * PATIENT)
    async with asyncio.timeout(PATIENT):
        assert await latest([says("yes", (True, 1)), says("late", (True, 2), 2 * PATIENT)]) == "yes"
        assert await latest([fails(), says("yes", (True, 1), 2 * SETTLE)]) == "yes"


async def test_all_faults_are_told() -> None:
    """So that the operator sees what each has said."""
    with pytest.raises(StoreError, match="nobody there; nobody there"):
        await latest([fails(), fails()])


async def test_a_search_that_is_called_off_leaves_nothing_behind() -> None:
    """Nor does one that found what it wanted."""
    looking = asyncio.create_task(latest([says("late", (True, 1), PATIENT), fails(PATIENT)]))
    await asyncio.sleep(0.01)
    looking.cancel()
    await asyncio.wait({looking})
    assert looking.cancelled()
    assert asyncio.all_tasks() == {asyncio.current_task()}
