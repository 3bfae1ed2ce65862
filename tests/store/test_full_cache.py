"""The memory of what is full: no decision for who is refused, no surprise for who is not."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from pumpguard import Action
from pumpguard.counters import Counter, Reading, Spend, Window
from pumpguard.counters.plan import Plan
from pumpguard.errors import StoreError
from pumpguard.store.base import Answer, Question, Redemption, Refusal, Store
from pumpguard.store.full_cache import ASKED_AGAIN, FRESH, MOST, FullCache
from pumpguard.store.gathered import AT_ONCE
from pumpguard.store.memory import MemoryStore
from tests.store.asking import (
    KNOWN,
    PHONE,
    START,
    TICKETS,
    About,
    ask,
    ban,
    credit,
    verify,
    watched,
    window,
)


class Counted(MemoryStore):
    """A store that counts its trips, and is away when told so."""

    def __init__(self) -> None:
        super().__init__()
        self.trips = 0
        self.away = False

    async def decide(self, question: Question) -> Answer:
        self.trips += 1
        if self.away:
            raise StoreError("away")
        return await super().decide(question)


BAN = ban(after="number", base=60)


async def banned(about: About = BAN) -> tuple[Counted, FullCache]:
    """A store that has just banned somebody for a minute."""
    store = Counted()
    cache = FullCache(store)
    await ask(cache, about, refused=True, refused_by=frozenset({"number"}))
    store.trips = 0
    return store, cache


async def test_a_fresh_ban_is_answered_without_a_trip() -> None:
    """The same refusal, with what is left of the wait."""
    store, cache = await banned()
    answer = await ask(cache, BAN, window(3), at=2)
    assert not answer.admitted
    assert answer.readings[0].used == 1
    assert answer.readings[0].wait == 58
    assert store.trips == 0


async def test_a_shadow_is_asked_for_every_time() -> None:
    """From memory it would be answered a round trip sooner than a message that is sent; while the
    store is away, it stands all the same."""
    hidden = ban(after="number", base=60, action=Action.SHADOW)
    store, cache = await banned(hidden)
    for at in (1, 2, FRESH + 1):
        assert (await ask(cache, hidden, at=at)).readings[0].full
    assert store.trips == 3
    store.away = True
    assert not (await ask(cache, hidden, at=FRESH + 2)).admitted


async def test_a_ban_is_believed_for_five_seconds_at_most() -> None:
    """So one that was lifted is over everywhere soon; one that stands is learnt anew."""
    store, cache = await banned()
    for at, trips in ((FRESH - 0.1, 0), (FRESH, 1), (FRESH + 1, 1), (2 * FRESH, 2)):
        assert not (await ask(cache, BAN, at=at)).admitted
        assert store.trips == trips


async def test_a_ban_is_never_believed_beyond_its_end() -> None:
    """A ban of three seconds is over after three."""
    short = ban(after="number", base=3)
    _, cache = await banned(short)
    assert not (await ask(cache, short, at=2.9)).admitted
    assert (await ask(cache, short, at=3)).admitted


async def test_others_are_not_concerned() -> None:
    """Another subject, another rule's ban, and a question in which the ban does not bind."""
    store, cache = await banned()
    assert (await ask(cache, ban(after="number", subject="b"), at=1)).admitted
    assert (await ask(cache, watched(BAN), at=1)).admitted
    assert store.trips == 2


async def test_while_the_store_is_away_bans_stand_to_their_end() -> None:
    """An outage is no amnesty; and no reason to refuse anybody else."""
    store, cache = await banned()
    store.away = True
    assert not (await ask(cache, BAN, at=59)).admitted
    with pytest.raises(StoreError):
        await ask(cache, BAN, at=60)
    with pytest.raises(StoreError):
        await ask(cache, ban(after="number", subject="b"), at=1)


async def test_the_memory_is_bounded() -> None:
    """Ten thousand bans; the one learnt first goes first."""
    store = Counted()
    cache = FullCache(store)
    struck = frozenset({"number"})
    for i in range(MOST + 1):
        await ask(cache, ban(after="number", subject=str(i)), refused=True, refused_by=struck)
    store.trips = 0
    await ask(cache, ban(after="number", subject=str(MOST)), at=1)
    assert store.trips == 0
    await ask(cache, ban(after="number", subject="0"), at=1)
    assert store.trips == 1


async def test_outcomes_pass_through(store: Store) -> None:
    """The memory has nothing to do with them."""
    cache = FullCache(store)
    await ask(cache, *PHONE, credit(1_000), price=900, ticket=b"1234")
    assert (await verify(cache, credit(1_000))).counts
    assert (await ask(cache, credit(1_000), price=1_000)).admitted


class Gathering(Counted):
    """One that counts calls for refusals too, and how many each told."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[int] = []

    async def refuse(self, refusals: Sequence[Refusal]) -> Sequence[Answer | None]:
        self.told.append(len(refusals))
        if self.away:
            raise StoreError("away")
        return await super().refuse(refusals)


LIMIT = Window("limit", "country", 1, 3_600)


def about(
    *counters: Counter,
    phone: str = "b",
    at: float | None = 0.0,
    limit: Counter = LIMIT,
    **more: Any,
) -> Question:
    """What a number asks for, in a country with a limit of one message an hour."""
    plan = Plan((KNOWN, TICKETS, limit), [True] * 3, reports=False)
    named = {"phone": phone, "country": "AZ"}
    subjects = tuple(named.get(by, "x") for by in plan.groups)
    time = None if at is None else START + at
    return Question(plan, subjects, at=time, ticket=phone.encode() * 4, **more)


async def filled(at: float | None = 0.0, **more: Any) -> tuple[Gathering, FullCache]:
    """The limit is reached, and this process has just been told so."""
    store = Gathering()
    cache = FullCache(store)
    assert (await cache.decide(about(phone="a", at=at, **more))).admitted
    assert not (await cache.decide(about(phone="a", at=at, **more))).admitted
    store.trips = 0
    return store, cache


async def test_what_is_full_is_refused_without_a_decision() -> None:
    """With the same words, and what is left of the wait."""
    store, cache = await filled()
    answer = await cache.decide(about(at=0.25))
    assert not answer.admitted
    assert answer.readings == {2: Reading(1, 3_599.75)}
    assert store.trips == 0


async def test_one_request_asks_again_before_the_others_have_to() -> None:
    """So a flood costs one decision in every 0.4 seconds; room is seen within a second."""
    store, cache = await filled()
    for at, trips in ((0.3, 0), (ASKED_AGAIN, 1), (0.7, 1), (0.85, 2), (1.1, 2), (9, 3)):
        assert not (await cache.decide(about(at=at))).admitted
        assert store.trips == trips


async def test_known_numbers_are_decided_as_always() -> None:
    """What is kept for them is theirs in any flood."""
    limit = Window("limit", "country", 3, 3_600, reserved=2)
    store, cache = await filled(limit=limit)
    await store.redeem(Redemption("k", KNOWN, TICKETS, at=START))
    assert not (await cache.decide(about(at=0.1, limit=limit))).admitted
    assert (await cache.decide(about(phone="k", at=0.1, limit=limit))).admitted
    assert store.trips == 1


async def test_refusals_are_told_together() -> None:
    """Those of a flood in one call each tenth of a second: the first at once, the others after it;
    and all that waits when the guard is closed."""
    store, cache = await filled(at=None)
    first = await cache.decide(about(at=None))
    assert not first.admitted
    assert store.told == [1]
    many = [asyncio.ensure_future(cache.decide(about(phone=p, at=None))) for p in "cdefg"]
    await asyncio.sleep(0)
    assert store.told == [1]
    await cache.aclose()
    assert store.told == [1, 5]
    assert not any(each.admitted for each in await asyncio.gather(*many))


async def test_no_call_is_longer_than_the_server_can_spare() -> None:
    """A call is full with so many."""
    store, cache = await filled(at=None)
    await cache.decide(about(at=None))
    await asyncio.gather(*[cache.decide(about(phone=f"{n:03}", at=None)) for n in range(AT_ONCE)])
    assert store.told == [1, AT_ONCE]


async def test_other_overrides_are_another_question() -> None:
    """What was known is forgotten with them."""
    store, cache = await filled()
    assert (await cache.decide(about(at=0.1, overrides_version=b"others"))).outdated
    await cache.decide(about(at=0.1))
    assert store.trips == 2


async def test_proof_is_judged_by_the_store() -> None:
    """Whether it counts depends on where it comes from."""
    store, cache = await filled()
    asked = about(at=0.1)
    asked.plan = Plan(asked.plan.counters, asked.plan.binds, reports=False, proved=True)
    await cache.decide(asked)
    assert store.trips == 1


async def test_money_is_full_from_a_price_on() -> None:
    """What costs less may still fit."""
    budget = Spend("budget", "country", 1_000, 3_600)
    store, cache = await filled(limit=budget, price=900)
    assert not (await cache.decide(about(limit=budget, price=1_000, at=0.1))).admitted
    assert store.trips == 0
    assert (await cache.decide(about(limit=budget, price=100, at=0.1))).admitted
    assert store.trips == 1


async def test_shards_have_counts_of_their_own() -> None:
    """What is full in one says nothing of another."""
    store = Gathering()
    cache = FullCache(store, shards=64)
    await cache.decide(about(phone="a", calling_code="994"))
    await cache.decide(about(phone="a", calling_code="994"))
    store.trips = 0
    await cache.decide(about(at=0.1, calling_code="994"))
    assert store.trips == 0
    await cache.decide(about(at=0.1, calling_code="44"))
    assert store.trips == 1


async def test_without_the_store_nothing_but_bans_is_remembered() -> None:
    """Whoever waits is told, and this process decides alone."""
    store, cache = await filled()
    store.away = True
    with pytest.raises(StoreError):
        await cache.decide(about(at=0.1))
