"""A country's gaps, in every store: numbers of people lie apart, those of a block do not."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpguard.counters import Gaps, Known, Tickets
from pumpguard.store.base import DAY, Answer, Question, Redemption, Store
from pumpguard.store.embedded import EmbeddedServer
from pumpguard.store.kinds import gaps
from pumpguard.store.memory import MemoryStore
from pumpguard.store.plan import Plan
from pumpguard.store.redis import RedisStore
from tests.conftest import PATIENT, SERVERS
from tests.store.asking import START

GAPS = Gaps("gaps")
KNOWN = Known("settlement")
TICKETS = Tickets("settlement")
CODES = [f"{code}" for code in range(600, 624)]
WEIGHTS = [1 / rank for rank in range(1, 25)]


async def send(store: Store, digits: str, at: float, counter: Gaps = GAPS) -> Answer:
    """One number of one country, ``at`` seconds after the start."""
    plan = Plan([counter, KNOWN, TICKETS], [True, True, True])
    subjects = tuple({"country": "XX", "phone": digits}[by] for by in plan.groups)
    question = Question(plan, subjects, at=START + at, digits=digits, ticket=os.urandom(4))
    return await store.decide(question)


def people(seed: int = 1) -> Iterator[str]:
    """Numbers of people, most of whom are with a few carriers."""
    chance = random.Random(seed)
    while True:
        (code,) = chance.choices(CODES, WEIGHTS)
        yield f"{code}{chance.randrange(10**7):07d}"


def block(free: int, *, blocks: int = 1, seed: int = 2) -> Iterator[str]:
    """Numbers of an attacker who owns blocks with so many free digits, in no order."""
    chance = random.Random(seed)
    owned = [f"{chance.choice(CODES)}{chance.randrange(10**7):07d}" for _ in range(blocks)]
    while True:
        yield chance.choice(owned)[: 10 - free] + f"{chance.randrange(10**free):0{free}d}"


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


@pytest.mark.parametrize(("free", "within"), [(2, 10), (3, 10), (4, 15), (5, 35), (6, 80)])
async def test_a_shuffled_block_of_any_width_is_seen(store: Store, free: int, within: int) -> None:
    """Nobody says how wide it is; the narrower, the sooner."""
    at = await grown(store)
    assert await until_asked(store, block(free), at, 12.0) <= within


async def test_numbers_in_order_are_seen(store: Store) -> None:
    """The naive script, one number after the other."""
    at = await grown(store)
    numbers = (f"615{5_000_000 + n}" for n in range(200))
    assert await until_asked(store, numbers, at, 12.0) <= 8


async def test_forty_blocks_are_seen_though_none_of_them_surges(store: Store) -> None:
    """A message or two in each is enough."""
    at = await grown(store)
    assert await until_asked(store, block(3, blocks=40), at, 12.0) <= 50


async def test_a_promotion_is_not(store: Store) -> None:
    """Ten times as many people as usual lie as far apart as ever."""
    at = await grown(store)
    assert await until_asked(store, people(7), at, 18.0) == inf


async def test_two_friends_with_adjacent_numbers_are_not(store: Store) -> None:
    """Nor two pairs of them, nor a number that is asked for again and again."""
    at = await grown(store)
    for n, number in enumerate(["6105000000", "6105000001", "6175000000", "6175000001"]):
        assert (await send(store, number, at + n)).admitted
    for n in range(20):
        assert (await send(store, "6105000000", at + 10 + n)).admitted


async def test_only_who_is_as_near_is_asked(store: Store) -> None:
    """For an hour: nearly everybody else's number lies apart."""
    at = await grown(store)
    numbers = block(3)
    at += 12 * await until_asked(store, numbers, at, 12.0)
    refused = (await send(store, next(numbers), at + 1)).readings[0]
    assert refused.full
    assert refused.detail[0] == 0  # the evidence was in the first finding
    assert refused.detail[1] <= 50  # one in twenty, at most, is as near
    users = people(9)
    asked = [not (await send(store, next(users), at + 2 + n)).admitted for n in range(60)]
    assert sum(asked) <= 6
    assert (await send(store, next(numbers), at + 3_700)).admitted


async def test_it_begins_with_evidence(store: Store) -> None:
    """The first finding carries the nats, and how usual such a gap is."""
    at = await grown(store)
    numbers = block(3)
    for n in range(60):
        answer = await send(store, next(numbers), at + 6 * n)
        if not answer.admitted:
            break
    nats, usual = answer.readings[0].detail
    assert 12_000 <= nats < 15_000
    assert usual < 50
    assert answer.readings[0].used == gaps.KEPT_NUMBERS


async def test_known_numbers_pass(store: Store) -> None:
    """Whoever has been verified before is not asked, however near."""
    at = await grown(store)
    numbers = block(3)
    mine = next(numbers)
    await send(store, mine, at - 100)
    await store.redeem(Redemption(mine, KNOWN, TICKETS, at=START + at - 50))
    at += 6 * await until_asked(store, numbers, at, 6.0)
    assert not (await send(store, next(numbers), at + 1)).admitted
    assert (await send(store, mine, at + 1)).admitted


async def test_a_country_that_nobody_knows_yet_is_held_to_what_any_is_like(store: Store) -> None:
    """Pumping goes where no users are: a block is seen without a history, and people pass."""
    assert await until_asked(store, block(3), 0.0, 3.0) <= 12
    assert await until_asked(store, people(4), 30 * DAY, 3.0) == inf


async def test_an_attack_teaches_nothing(store: Store) -> None:
    """It is found as soon on the second day as on the first."""
    at = await grown(store)
    first = await until_asked(store, block(4), at, 6.0)
    second = await until_asked(store, block(4, seed=3), at + DAY, 6.0)
    assert second <= first + 5


async def test_after_two_weeks_of_silence_all_is_forgotten(store: Store) -> None:
    """However long something else keeps the bytes."""
    at = await grown(store)
    answer = await send(store, "6100000000", at + 16 * DAY)
    assert answer.readings[0].used == 0


@given(
    st.lists(st.integers(0, 60), min_size=gaps.OCTAVES, max_size=gaps.OCTAVES),
    st.integers(1, gaps.OCTAVES),
)
def test_nearer_gaps_are_never_more_usual(seen: list[int], octave: int) -> None:
    """Shares are shares, they fall with the gap, and none of the gaps is impossible."""
    known = (*seen[:-1], seen[-1] + gaps.SUPPORT)
    share = gaps.usual(known, octave)
    assert 0 < share <= 1
    assert octave == gaps.OCTAVES or share <= gaps.usual(known, octave + 1) + 1e-12


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("seed", range(2))
async def test_both_languages_agree(
    servers: dict[str, EmbeddedServer], server: str, seed: int
) -> None:
    """Weeks of people, attacks and silence, with clocks that step back: always the same."""
    chance = random.Random(seed)
    memory: Store = MemoryStore()
    redis = RedisStore(servers[server].url, name=os.urandom(6).hex(), deadline=PATIENT)
    users, at, alarms = people(seed), 0.0, 0
    counter = Gaps("gaps", h=6.0, hold=chance.choice([60, 600]))
    for n in range(400):
        attack: Any = block(chance.choice([2, 4, 6]), seed=chance.randrange(99))
        attacked = chance.random() < 0.2
        for _ in range(chance.choice([1, 1, 20]) if attacked else 3):
            number = next(attack) if attacked else next(users)
            number = number[: chance.choice([10, 10, 10, 4])]
            at += chance.choice([0.0, 4.0, 61.0, -2.0])
            ours = await send(memory, number, at, counter)
            theirs = await send(redis, number, at, counter)
            assert ours.readings == theirs.readings
            assert (ours.admitted, ours.known) == (theirs.admitted, theirs.known)
            alarms += ours.readings[0].detail[0] > 0
        at += chance.choice([0.0, 30.0, 200.0, 4_000.0]) if n != 300 else 16 * DAY
    assert alarms > 0
    await redis.aclose()


async def test_what_is_known_is_halved_alike(valkey_url: str, name: str) -> None:
    """Two thousand gaps are as many as are remembered; then the newer ones matter more."""
    memory: Store = MemoryStore()
    redis = RedisStore(valkey_url, name=name, deadline=PATIENT)
    users, counter = people(3), Gaps("gaps", h=900)
    for n in range(gaps.FADE + 50):
        number = next(users)
        ours, theirs = await send(memory, number, n, counter), await send(redis, number, n, counter)
        assert ours.readings == theirs.readings
    await redis.aclose()
