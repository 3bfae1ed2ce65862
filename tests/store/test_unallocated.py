"""Numbers that nobody has, in every store: the operator's word for it, of what was sent."""

from __future__ import annotations

import os
import random
from math import inf

import pytest

from pumpguard.counters import Known, Tickets, Unallocated
from pumpguard.store.base import DAY, Answer, Question, Redemption, Settlement, Store
from pumpguard.store.embedded import EmbeddedServer
from pumpguard.store.memory import MemoryStore
from pumpguard.store.plan import Plan
from pumpguard.store.redis import RedisStore
from tests.conftest import PATIENT, SERVERS
from tests.store.asking import START

UNALLOCATED = Unallocated("unallocated")
KNOWN = Known("settlement")
TICKETS = Tickets("settlement")


async def send(store: Store, phone: str, at: float, counter: Unallocated = UNALLOCATED) -> Answer:
    """One message to a number of one country, ``at`` seconds after the start."""
    plan = Plan([counter, KNOWN, TICKETS], [True, True, True])
    subjects = tuple({"country": "XX", "phone": phone}[by] for by in plan.groups)
    return await store.decide(Question(plan, subjects, at=START + at, ticket=os.urandom(4)))


async def reject(
    store: Store, phone: str, ticket: bytes, at: float, counter: Unallocated = UNALLOCATED
) -> int:
    """The operator says that nobody has the number."""
    plan = Plan([counter, TICKETS], [False, False])
    subjects = tuple({"country": "XX", "phone": phone}[by] for by in plan.groups)
    told = Settlement(plan, subjects, "unallocated", ticket=ticket, at=START + at)
    return await store.settle([told])


async def traffic(
    store: Store, messages: int, share: float, at: float, every: float = 60.0
) -> float:
    """Messages of which a share is rejected; how many passed before one was not let through."""
    chance = random.Random(share + at)
    for n in range(messages):
        phone, now = f"{at}-{n}", at + n * every
        answer = await send(store, phone, now)
        if not answer.admitted:
            return n
        if chance.random() < share:
            assert await reject(store, phone, answer.ticket, now + every / 2)
    return inf


async def test_random_digits_are_seen(store: Store) -> None:
    """Half of what they hit is nobody's."""
    assert await traffic(store, 300, 0.01, 0.0) == inf
    assert await traffic(store, 100, 0.5, 300 * 60.0) <= 30


async def test_more_of_the_same_is_not(store: Store) -> None:
    """Thirty times as many people mistype thirty times as often."""
    assert await traffic(store, 300, 0.02, 0.0) == inf
    assert await traffic(store, 300, 0.02, 300 * 60.0, every=2.0) == inf


async def test_what_is_usual_is_learned(store: Store) -> None:
    """Where a tenth is always rejected, a tenth is no finding, and half of all is."""
    assert await traffic(store, 600, 0.1, 0.0) == inf
    assert await traffic(store, 200, 0.5, 600 * 60.0) <= 60


async def test_the_finding_stands_for_an_hour_with_its_evidence(store: Store) -> None:
    """The sum with which it began, the messages and the rejections; known numbers pass."""
    assert await traffic(store, 200, 0.01, 0.0) == inf
    mine = await send(store, "mine", 200 * 60.0)
    await store.redeem(Redemption("mine", KNOWN, TICKETS, at=START + 200 * 60.0 + 1))
    assert mine.admitted
    at = 201 * 60.0
    passed = await traffic(store, 100, 1.0, at)
    reading = (await send(store, "somebody", at + passed * 60)).readings[0]
    assert reading.full
    assert reading.used >= 12_000
    sent, rejected = reading.detail
    assert sent >= 200
    assert 1 <= rejected <= 12
    assert (await send(store, "mine", at + passed * 60)).admitted
    assert (await send(store, "somebody", at + passed * 60 + 3_601)).admitted


async def test_a_message_is_rejected_once_and_only_if_it_was_sent(store: Store) -> None:
    """No ticket, no rejection: what was refused, or never asked for, raises no suspicion."""
    assert await traffic(store, 200, 0.0, 0.0) == inf
    sent = await send(store, "a", 200 * 60.0)
    before = sent.readings[0].used
    assert await reject(store, "a", b"nope", 200 * 60.0 + 1) == 0
    assert await reject(store, "a", sent.ticket, 200 * 60.0 + 2) == 1
    assert await reject(store, "a", sent.ticket, 200 * 60.0 + 3) == 0
    after = (await send(store, "b", 200 * 60.0 + 4)).readings[0]
    assert before < after.used < 3_000
    assert after.detail[1] == 1


async def test_a_country_that_nobody_knows_yet_is_not_judged(store: Store) -> None:
    """Its first hundred messages teach."""
    assert await traffic(store, 100, 0.5, 0.0) == inf


async def test_after_two_weeks_of_silence_all_is_forgotten(store: Store) -> None:
    """However long something else keeps the bytes."""
    assert await traffic(store, 50, 0.1, 0.0) == inf
    assert (await send(store, "a", 16 * DAY)).readings[0].detail == (0, 0)


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("seed", range(3))
async def test_both_languages_agree(
    servers: dict[str, EmbeddedServer], server: str, seed: int
) -> None:
    """Weeks of messages and rejections, late, twice or never: always the same."""
    chance = random.Random(seed)
    stores: list[Store] = [
        MemoryStore(),
        RedisStore(servers[server].url, name=os.urandom(6).hex(), deadline=PATIENT),
    ]
    at, alarms, share = 0.0, 0, 0.02
    counter = Unallocated("unallocated", h=4.0, hold=600)
    for n in range(700):
        at += chance.choice([0.0, 4.0, 600.0, -2.0]) if chance.random() < 0.995 else 15 * DAY
        if n % 100 == 0:
            share = 0.02 if n % 200 == 0 else 0.6
        ours, theirs = [await send(store, str(n), at, counter) for store in stores]
        assert ours.readings == theirs.readings
        assert ours.admitted == theirs.admitted
        alarms += not ours.admitted
        if chance.random() < share and ours.admitted:
            for store, answer in zip(stores, (ours, theirs), strict=True):
                assert await reject(store, str(n), answer.ticket, at + 5, counter) == 1
    assert alarms > 0
    for store in stores:
        await store.aclose()
