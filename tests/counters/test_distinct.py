"""Distinct members in a window, in every store."""

from __future__ import annotations

from dataclasses import replace

from pumpguard.counters import Distinct
from pumpguard.store.base import Store
from tests.store.asking import ask, distinct, window


async def test_known_members_pass_and_one_too_many_does_not(store: Store) -> None:
    """The limit is on different members, not on requests."""
    for member in ("GB", "IE", "GB", "IE", "GB"):
        assert (await ask(store, distinct(member))).admitted
    refused = await ask(store, distinct("FR"))
    assert not refused.admitted
    assert refused.readings[0].used == 2
    assert (await ask(store, distinct("IE"))).admitted


async def test_a_member_counts_from_its_latest_time(store: Store) -> None:
    """Seen again, a member stays; not seen for a window, it makes room."""
    await ask(store, distinct("GB"), at=0)
    await ask(store, distinct("IE"), at=10)
    await ask(store, distinct("GB"), at=50)
    refused = await ask(store, distinct("FR"), at=60)
    assert refused.readings[0].wait == 10
    assert (await ask(store, distinct("FR"), at=70)).admitted
    assert not (await ask(store, distinct("IE"), at=71)).admitted


async def test_a_refused_request_adds_no_member(store: Store) -> None:
    """What another counter refuses is not remembered as a country."""
    await ask(store, window(1), distinct("GB"))
    await ask(store, window(1), distinct("IE"))
    assert (await ask(store, distinct("FR"))).readings[0].used == 1


async def test_each_count_gets_its_own_member(store: Store) -> None:
    """Whatever the order in which counts about different subjects are declared."""

    async def seen(one: str, other: str) -> bool:
        first = window(100, subject="x", rule="wide")
        second, third = distinct(one, limit=1, subject="b"), distinct(other, limit=1, subject="x")
        third = replace(third, counter=Distinct("distinct", first.counter.by, 1, 60, "country"))
        return (await ask(store, first, second, third)).admitted

    assert await seen("GB", "IE")
    assert await seen("GB", "IE")
    other = distinct("IE", limit=1, subject="b")
    assert not (await ask(store, other)).admitted
    assert (await ask(store, distinct("GB", limit=1, subject="b"))).admitted
