"""Peeking reads what deciding would, and leaves no trace; lifting takes away bans and no more."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from pumpguard.store.inspected import InspectedStore
from tests.store.asking import (
    START,
    About,
    ask,
    ban,
    conversion,
    credit,
    distinct,
    neighbours,
    question,
    sliced,
    spend,
    trust,
    window,
)

KINDS = [
    window(2), sliced(3, rule="sliced"), distinct("GB"), neighbours(7), spend(10), credit(10),
    conversion(), trust(), ban(3, after="attempts"),
]  # fmt: skip


@pytest.mark.parametrize("about", KINDS, ids=lambda about: type(about.counter).__name__)
async def test_peeking_reads_what_the_next_question_reads(
    store: InspectedStore, about: About
) -> None:
    """Of every kind, as it fills; and however often, the next question is answered alike."""
    for n in range(4):
        asked = question(about, at=float(n), price=3)
        peeked = [await store.peek(asked) for _ in range(3)]
        answer = await store.decide(asked)
        assert peeked == [peeked[0]] * 3
        assert peeked[0].readings == answer.readings
        assert peeked[0].admitted == answer.admitted


async def test_peeking_begins_nothing(store: InspectedStore) -> None:
    """No subject, no strike, no ban."""
    struck = question(window(1), ban(2))
    await store.decide(struck)
    for _ in range(10):
        await store.peek(struck)
    answer = await store.decide(struck)  # the first strike
    assert not answer.admitted
    assert not any(reading.full for i, reading in answer.readings.items() if i == 1)


async def test_lifting_a_ban_leaves_what_else_is_counted(store: InspectedStore) -> None:
    """Its strikes and its level are gone: the next ban is a first one."""
    banned, counted = ban(3, after="attempts"), window(9, subject="of the same")
    counted = replace(counted, counter=replace(cast(Any, counted.counter), by=banned.counter.by))
    for _ in range(2):
        assert (await ask(store, banned, counted)).admitted
    assert not (await ask(store, banned, counted)).admitted
    shard, place = store.place(banned.counter.by, "somebody", "")
    assert await store.lift(shard, place, [banned.counter.identity()], START) == 1
    assert await store.lift(shard, place, [banned.counter.identity()], START) == 0
    answer = await ask(store, banned, counted)
    assert answer.admitted
    assert [answer.readings[i].used for i in range(2)] == [0, 2]


async def test_lifting_what_does_not_stand_changes_nothing(store: InspectedStore) -> None:
    await ask(store, window(1))
    shard, place = store.place("phone a", "somebody", "")
    assert await store.lift(shard, place, [ban(2).counter.identity()], START) == 0
    assert await store.lift(shard, 20 * "0", [ban(2).counter.identity()], START) == 0
    assert not (await ask(store, window(1))).admitted
