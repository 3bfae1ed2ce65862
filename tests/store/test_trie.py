"""A lazy trie of a country's numbers, in every store: what it closes, and how that opens again."""

from __future__ import annotations

import os
import random

import pytest

from pumpguard.counters import Known, Stage, Tickets, Trie, Window
from pumpguard.store.base import Answer, Question, Redemption, Store
from pumpguard.store.embedded import EmbeddedServer
from pumpguard.store.memory import MemoryStore
from pumpguard.store.plan import Plan
from pumpguard.store.redis import RedisStore
from tests.conftest import PATIENT, SERVERS
from tests.store.asking import START

TRIE = Trie("trie")
PROVED = Trie("trie", proved=True)
KNOWN = Known("settlement")
TICKETS = Tickets("settlement")
HOLD, PROOF = 1_800, 450


async def send(
    store: Store,
    digits: str,
    at: float,
    trie: Trie = TRIE,
    *,
    refused: bool = False,
    phone: str = "",
) -> Answer:
    """One number of one country, ``at`` seconds after the start."""
    plan = Plan([trie, KNOWN, TICKETS], [True, True, True])
    subjects = tuple({"country": "XX", "phone": phone or digits}[by] for by in plan.groups)
    return await store.decide(
        Question(
            plan, subjects, at=START + at, digits=digits, refused=refused, ticket=os.urandom(4)
        )
    )


async def surge(store: Store, at: float = 0.0, block: str = "7123456", step: int = 37) -> float:
    """A block of 1,000 is asked for until it is refused; when that was."""
    for n in range(30):
        answer = await send(store, f"{block}{n * step % 1000:03d}", at + n)
        if not answer.admitted:
            return at + n
    raise AssertionError("never refused")


async def healthy(store: Store, hours: float, at: float = 0.0, per_hour: int = 120) -> float:
    """Users all over a few ranges; nobody is refused."""
    chance = random.Random(3)
    for _ in range(int(hours * per_hour)):
        code = chance.choice(["612", "612", "612", "655", "655", "770"])
        at += 3600 / per_hour
        assert (await send(store, f"{code}{chance.randrange(10**7):07d}", at)).admitted
    return at


async def test_a_new_block_is_closed_after_few(store: Store) -> None:
    """In a country never seen before, the sixth number of a block of 1,000 is refused, and the
    block is named."""
    closed = await surge(store)
    assert closed == 5
    answer = await send(store, "7123456999", closed + 1)
    assert answer.readings[0].detail == (7, Stage.CLOSED)
    assert (await send(store, "7123457999", closed + 1)).admitted


async def test_everybody_else_goes_on(store: Store) -> None:
    """The range in which the block lies stays open."""
    at = await healthy(store, 3)
    await surge(store, at, block="6125555")
    await healthy(store, 1, at + 60)


async def test_more_of_the_usual_is_no_surge(store: Store) -> None:
    """Ten times as many users in the same ranges, from one minute to the next."""
    at = await healthy(store, 6)
    await healthy(store, 1, at, per_hour=1_200)


async def test_a_country_in_which_all_numbers_begin_alike_may_grow(store: Store) -> None:
    """All of Jamaica is 876: there is no rest to hold it against, new or five times as busy."""
    chance, at = random.Random(4), 0.0
    for n in range(600):
        at += 20 if n < 400 else 4
        assert (await send(store, f"876{chance.randrange(10**7):07d}", at)).admitted


async def test_who_asks_again_is_one_person(store: Store) -> None:
    """Resends say nothing about a block."""
    for n in range(30):
        assert (await send(store, "7123456001", n)).admitted


async def test_known_numbers_pass_a_closed_block(store: Store) -> None:
    """They have proven more than any number of digits can deny."""
    closed = await surge(store)
    await store.redeem(Redemption("friend", KNOWN, TICKETS, at=START))
    assert not (await send(store, "7123456888", closed + 1, phone="stranger")).admitted
    await send(store, "9999999999", closed, phone="friend")
    await store.redeem(Redemption("friend", KNOWN, TICKETS, at=START + closed))
    assert (await send(store, "7123456888", closed + 2, phone="friend")).admitted


async def test_it_opens_step_by_step(store: Store) -> None:
    """Solved challenges first, then canaries, then everybody."""
    closed = await surge(store)
    opening = closed + HOLD
    assert not (await send(store, "7123456800", opening - 1, PROVED)).admitted
    assert not (await send(store, "7123456801", opening + 1)).admitted
    assert (await send(store, "7123456802", opening + 2, PROVED)).admitted
    canaries = [await send(store, f"712345690{n}", opening + PROOF + n) for n in range(3)]
    assert all(answer.admitted for answer in canaries)
    assert (await send(store, "7123456777", opening + PROOF + HOLD + 1)).admitted


async def test_a_surge_that_goes_on_lets_nothing_out(store: Store) -> None:
    """Who still asks during the proof stage closes the block again, twice as long."""
    closed = await surge(store)
    for n in range(5):
        answer = await send(store, f"71234568{n:02d}", closed + HOLD + 1 + n)
        assert not answer.admitted
    later = closed + HOLD + 2 * HOLD - 10
    assert (await send(store, "7123456500", later)).readings[0].detail == (7, Stage.CLOSED)


async def test_one_canary_too_many_closes_it(store: Store) -> None:
    """The fourth in the canary stage, and then it takes twice as long."""
    closed = await surge(store)
    opening = closed + HOLD + PROOF
    admitted = [(await send(store, f"71234569{n:02d}", opening + n)).admitted for n in range(5)]
    assert admitted == [True, True, True, False, False]
    later = opening + 3 + 2 * HOLD - 10
    assert not (await send(store, "7123456500", later, PROVED)).admitted


async def test_its_debt_is_remembered_for_days(store: Store) -> None:
    """Two days later, three are enough."""
    closed = await surge(store)
    again = await surge(store, closed + 2 * 86_400, step=41)
    assert again - (closed + 2 * 86_400) == 3


async def test_a_wide_block_narrows_to_where_it_is_asked_for(store: Store) -> None:
    """A range of 100,000 is closed first; then what is refused comes from 100 numbers only."""
    closed = await surge(store, block="71234", step=37_777)
    assert (await send(store, "7123499998", closed + 1)).readings[0].detail[0] <= 5
    for n in range(12):
        await send(store, f"71234567{n:02d}", closed + 2 + n)
    assert (await send(store, "7123456799", closed + 20)).readings[0].detail[0] == 8
    assert (await send(store, "7123412345", closed + 21)).admitted


async def test_hopping_widens(store: Store) -> None:
    """Three blocks of 1,000 side by side close the 10,000 around them."""
    at = 0.0
    for block in ("7123451", "7123455", "7123458"):
        at = await surge(store, at + 1, block)
    answer = await send(store, "7123453000", at + 1)
    assert not answer.admitted
    assert answer.readings[0].detail == (6, Stage.CLOSED)


async def test_refused_requests_are_no_admissions(store: Store) -> None:
    """What another rule refuses is not counted."""
    for n in range(40):
        await send(store, f"71234560{n:02d}", n / 10, refused=True)
    answer = await send(store, "7123456999", 5)
    assert answer.admitted
    assert answer.readings[0].used == 0


async def test_it_shares_its_subject_with_other_counters(store: Store) -> None:
    """It is longer than others are, stays whole beside them, and outlives plans without it."""
    at = await healthy(store, 3)
    used = (await send(store, "7000000000", at)).readings[0].used
    window = Window("few", "country", 3, 600)
    alone = Plan([window], [True])
    for n in range(3):
        assert (await store.decide(Question(alone, ("XX",), at=START + at + n))).admitted
    assert (await send(store, "7000000001", at + 3)).readings[0].used >= used
    assert not (await store.decide(Question(alone, ("XX",), at=START + at + 4))).admitted


async def test_it_stays_small() -> None:
    """However many numbers are asked for, all over the country, the value has a bounded size."""
    store, chance = MemoryStore(), random.Random(1)
    for n in range(3_000):
        await send(store, f"{chance.randrange(10**9)}", n / 50)
    (kept, _) = next(kept for (name, _), kept in store._kept.items() if name.startswith("Trie"))
    assert len(kept.nodes) <= 144


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("seed", range(3))
async def test_long_walks_are_the_same_in_both_languages(
    servers: dict[str, EmbeddedServer], server: str, seed: int
) -> None:
    """Days of users, attackers of all widths, known numbers and solved challenges."""
    chance = random.Random(seed)
    memory: Store = MemoryStore()
    redis: Store = RedisStore(servers[server].url, name=os.urandom(6).hex(), deadline=PATIENT)
    at, block, free, pace, refused = 0.0, "7123456", 3, 30.0, 0
    for n in range(2_500):
        if n % 150 == 0:
            free = chance.randrange(2, 8)
            pace = chance.choice([1.0, 30.0, 300.0])
            new = f"{chance.randrange(10**9, 10**10)}"
            block = chance.choice([new, block + new])[: 10 - free]
        at += chance.expovariate(1 / pace) if chance.random() > 0.005 else 90_000
        code = chance.choice(["612", "612", "655", "77"])
        number = f"{code}{chance.randrange(10**7):07d}"
        if chance.random() < 0.5:
            number = f"{block}{chance.randrange(10**free):0{free}d}"
        trie = PROVED if chance.random() < 0.1 else TRIE
        phone = chance.choice(["friend", number, number, number])
        answers = [await send(store, number, at, trie, phone=phone) for store in (memory, redis)]
        assert answers[0].readings[0] == answers[1].readings[0]
        assert answers[0].admitted == answers[1].admitted
        refused += not answers[0].admitted
        if phone == "friend" and n > 1_000:
            for store in (memory, redis):
                await store.redeem(Redemption("friend", KNOWN, TICKETS, at=START + at))
    assert refused > 100
    await redis.aclose()
