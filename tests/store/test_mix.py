"""A country's mix of ranges, in every store: a promotion is none of its business, an attack is."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from math import inf

import pytest

from pumpguard.counters import Known, Mix, Tickets
from pumpguard.store.base import DAY, Answer, Question, Redemption, Store
from pumpguard.store.embedded import EmbeddedServer
from pumpguard.store.memory import MemoryStore
from pumpguard.store.plan import Plan
from pumpguard.store.redis import RedisStore
from tests.conftest import PATIENT, SERVERS
from tests.store.asking import START

MIX = Mix("mix")
KNOWN = Known("settlement")
TICKETS = Tickets("settlement")
CODES = [f"{code}" for code in range(600, 624)]
WEIGHTS = [1 / rank for rank in range(1, 25)]


async def send(store: Store, digits: str, at: float, mix: Mix = MIX) -> Answer:
    """One number of one country, ``at`` seconds after the start."""
    plan = Plan([mix, KNOWN, TICKETS], [True, True, True])
    subjects = tuple({"country": "XX", "phone": digits}[by] for by in plan.groups)
    question = Question(plan, subjects, at=START + at, digits=digits, ticket=os.urandom(4))
    return await store.decide(question)


def people(seed: int = 1) -> Iterator[str]:
    """Numbers of people, most of whom are with a few carriers."""
    chance = random.Random(seed)
    while True:
        (code,) = chance.choices(CODES, WEIGHTS)
        yield f"{code}{chance.randrange(10**7):07d}"


def scattered(seed: int = 2) -> Iterator[str]:
    """Numbers of an attacker who has some of every range."""
    chance = random.Random(seed)
    while True:
        yield f"{chance.choice(CODES)}{chance.randrange(10**7):07d}"


async def grown(store: Store, messages: int = 240, every: float = 180.0) -> float:
    """A country whose users are known; when that was."""
    users = people()
    for n in range(messages):
        assert (await send(store, next(users), n * every)).admitted
    return messages * every


async def until_asked(store: Store, numbers: Iterator[str], at: float, every: float) -> float:
    """How many messages pass before one is not let through, at most 200."""
    for n in range(200):
        if not (await send(store, next(numbers), at + n * every)).admitted:
            return n
    return inf


async def test_an_attack_on_all_ranges_is_seen(store: Store) -> None:
    """Five a minute to numbers from anywhere in a country of twenty an hour; no block surges."""
    at = await grown(store)
    assert await until_asked(store, scattered(), at, 12.0) < 60


async def test_a_promotion_is_not(store: Store) -> None:
    """Ten times as many people as usual: the ranges are busier together."""
    at = await grown(store)
    assert await until_asked(store, people(7), at, 18.0) == inf


async def test_a_country_that_nobody_knows_yet_has_no_shape(store: Store) -> None:
    """The first messages of all teach, and are not judged."""
    assert await until_asked(store, scattered(), 0.0, 3.0) > 30


async def test_the_finding_says_how_far_and_then_only_until_when(store: Store) -> None:
    """Nats when it begins; afterwards the alarm stands for an hour, and no longer."""
    at = await grown(store)
    numbers = (f"623{n:07d}" for n in range(200))
    passed = await until_asked(store, numbers, at, 6.0)
    at += passed * 6
    refused = (await send(store, "6231234567", at + 1)).readings[0]
    assert refused.full
    assert refused.detail[0] == 0
    assert 3_590 <= refused.wait <= 3_600
    assert (await send(store, "6001234567", at + 2)).admitted  # everybody else's range
    assert (await send(store, "6231234567", at + 3_602)).admitted


async def test_it_begins_with_evidence(store: Store) -> None:
    """The first finding carries the deviance in thousandths of a nat."""
    at = await grown(store)
    for n in range(60):
        answer = await send(store, f"623{n:07d}", at + 6 * n)
        if not answer.admitted:
            break
    nats, usual = answer.readings[0].detail
    assert 12_000 <= nats < 30_000
    assert 0 < usual < 256


async def test_known_numbers_pass(store: Store) -> None:
    """Whoever has been verified before is not asked, whatever the country does."""
    at = await grown(store)
    await send(store, "6231111111", at - 100)
    await store.redeem(Redemption("6231111111", KNOWN, TICKETS, at=START + at - 50))
    numbers = (f"623{n:07d}" for n in range(200))
    at += 6 * await until_asked(store, numbers, at, 6.0)
    assert not (await send(store, "6239999999", at + 1)).admitted
    assert (await send(store, "6231111111", at + 1)).admitted


async def test_an_attack_teaches_nothing(store: Store) -> None:
    """It is found as soon on the second day as on the first."""
    at = await grown(store)
    first = await until_asked(store, (f"623{n:07d}" for n in range(200)), at, 6.0)
    second = await until_asked(store, (f"623{n:07d}" for n in range(200)), at + DAY, 6.0)
    assert second <= first + 3


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("seed", range(3))
async def test_both_languages_agree(
    servers: dict[str, EmbeddedServer], server: str, seed: int
) -> None:
    """Weeks of people, attacks and silence, with clocks that step back: always the same."""
    chance = random.Random(seed)
    memory: Store = MemoryStore()
    redis = RedisStore(servers[server].url, name=os.urandom(6).hex(), deadline=PATIENT)
    users, bots = people(seed), scattered(seed)
    at, alarms = 0.0, 0
    mix = Mix("mix", h=4.0, hold=chance.choice([60, 600]))
    for _ in range(700):
        attacked = chance.random() < 0.4
        for _ in range(chance.choice([1, 1, 1, 30]) if attacked else 1):
            number = next(bots) if attacked else next(users)
            at += chance.choice([0.0, 4.0, 61.0, -2.0])
            ours, theirs = await send(memory, number, at, mix), await send(redis, number, at, mix)
            assert ours.readings == theirs.readings
            assert (ours.admitted, ours.known) == (theirs.admitted, theirs.known)
            alarms += ours.readings[0].detail[0] > 0
        at += chance.choice([0.0, 30.0, 200.0, 200.0, 4_000.0]) if chance.random() < 0.9 else 90_000
    assert alarms > 0
    await redis.aclose()
