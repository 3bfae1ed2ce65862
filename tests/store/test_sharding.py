"""Shards: the whole never admits more than the limits say."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from pumpguard import Policy, PolicyError
from pumpguard.counters import Credit, Known, Spend, Tickets, Window
from pumpguard.counters.plan import Plan
from pumpguard.rules import RateLimit
from pumpguard.store.base import Question, Redemption, Settlement
from pumpguard.store.redis import RedisStore
from pumpguard.store.scripted import shard_of
from tests.conftest import PATIENT

SHARDS = 4
PLAN = Plan([Window("net", "network", 22, 3600), Window("phone", "phone", 3, 3600)], [True, True])


@pytest.fixture
async def sharded(valkey_url: str, name: str) -> AsyncIterator[RedisStore]:
    store = RedisStore(valkey_url, name=name, deadline=PATIENT, shards=SHARDS)
    yield store
    await store.aclose()


def question(network: str, phone: str, code: str) -> Question:
    return Question(PLAN, (network, phone), at=1_700_000_000.0, calling_code=code)


async def test_a_network_gets_no_more_than_its_limit_over_all_shards(sharded: RedisStore) -> None:
    """It asks everywhere; each shard gives it its part."""
    rng = random.Random(1)
    admitted = 0
    for n in range(400):
        code = str(rng.randrange(1, 999))
        answer = await sharded.decide(question("one", f"+{code}{n}", code))
        admitted += answer.admitted
    assert admitted == SHARDS * (22 // SHARDS) <= 22


async def test_a_destination_keeps_its_whole_limit(sharded: RedisStore) -> None:
    """A phone lives in one shard, whoever asks for it."""
    answers = [await sharded.decide(question(f"n{i}", "+441", "44")) for i in range(5)]
    assert [answer.admitted for answer in answers] == [True] * 3 + [False] * 2


async def test_all_keys_of_a_question_share_a_slot(
    sharded: RedisStore, valkey_url: str, name: str
) -> None:
    """One destination is one hash tag; many destinations are all of them."""
    for code in range(1, 60):
        keys = sharded.keys(question("n", f"+{code}", str(code)))
        assert len({key.split("}")[0] for key in keys}) == 1
        await sharded.decide(question("n", f"+{code}", str(code)))
    async with Redis.from_url(valkey_url, decode_responses=True) as server:
        tags = {key.split("}")[0] async for key in server.scan_iter(match=f"*{name}*")}
    assert tags == {f"pg1:{{{name}-{shard}" for shard in range(SHARDS)}


@given(st.integers(1, 16))
def test_calling_codes_are_spread(shards: int) -> None:
    """No shard is left out, and none takes much more than its part."""
    counts = Counter(shard_of(str(code), shards) for code in range(1, 1000))
    assert len(counts) == shards
    assert max(counts.values()) < 2 * 1000 / shards


def test_limits_that_cannot_be_divided_are_refused() -> None:
    """A limit of 3 per network over 4 shards would be 0 or 4; neither is what was meant."""
    few = RateLimit(by="network", limits="3/hour")
    with pytest.raises(PolicyError, match=r"shards: expected at most .* by network"):
        Policy(send="/s", rules=[few], shards=4)
    Policy(send="/s", rules=[few], shards=3)
    Policy(send="/s", rules=[RateLimit(by=("network", "country"), limits="1/hour")], shards=9)


def test_the_default_chain_can_be_sharded() -> None:
    """Up to what its smallest limit by network allows."""
    Policy(send="/s", home=["GB"], shards=5)
    with pytest.raises(PolicyError, match="shards"):
        Policy(send="/s", home=["GB"], shards=6)


async def test_budgets_and_credit_are_divided_like_windows(sharded: RedisStore) -> None:
    """All shards together spend what one would; what belongs to a destination stays whole."""
    plan = Plan(
        [Spend("budget", "everything", 1_000, 3600, 100), Credit("credit", "country", 500, 3600)],
        [True, True],
    )
    spent = 0
    for code in range(1, 200):
        asked = Question(
            plan, ("everything", str(code)), at=1_700_000_000.0, calling_code=str(code), price=10
        )
        spent += 10 * (await sharded.decide(asked)).admitted
    assert spent <= 1_000 - 100
    assert spent >= 1_000 - 100 - SHARDS * 10


async def test_outcomes_find_their_shard(sharded: RedisStore) -> None:
    """The ticket, the debt and the refunds of a destination live together."""
    known, tickets = Known("t"), Tickets("t")
    counters = (Credit("credit", "country", 500, 3600), known, tickets)
    plan, told = Plan(counters, [True] * 3), Plan(counters[:1], [True])
    settlements = []
    for code in map(str, range(1, 40)):
        here: dict[str, Any] = {"at": 1_700_000_000.0, "calling_code": code}
        phone = (f"+{code}1", code)
        asked = Question(plan, phone, price=300, ticket=b"1234", **here)
        assert (await sharded.decide(asked)).admitted
        redeemed = await sharded.redeem(Redemption(phone[0], known, tickets, **here))
        assert (redeemed.counts, len(redeemed.tickets)) == (True, 1)
        settlements.append(Settlement(told, (code,), "verified", price=300, age=9_000, **here))
    assert await sharded.settle(settlements) == 39
    for code in map(str, range(1, 40)):
        asked = Question(told, (code,), at=1_700_000_000.0, calling_code=code, price=500)
        assert (await sharded.decide(asked)).admitted
