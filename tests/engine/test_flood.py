"""A flood against the whole default policy is refused from memory, in the same words."""

from __future__ import annotations

import asyncio

import pytest

from pumpguard import Decision, Guard, Policy
from pumpguard.intake.network import UnknownNetworks
from pumpguard.store.base import Answer, Question, Store
from pumpguard.store.full_cache import FullCache
from pumpguard.store.in_front import StoreInFront
from pumpguard.store.redis import RedisStore
from tests.conftest import PATIENT

BLOCK = "+99410720"
CROWD = 60


class Asked(StoreInFront):
    """A store that counts the questions that it decides."""

    asked = 0

    async def decide(self, question: Question) -> Answer:
        self.asked += 1
        return await self.store.decide(question)


def guard(store: Store) -> Guard:
    """With the default rules, which hear of verifications."""
    policy = Policy(send="/otp/send", verify="/otp/verify", home=["GB"], deadline=PATIENT)
    guard = Guard(policy, store, networks=UnknownNetworks())
    guard.observations.hearing.hear()  # as in an app whose users verify
    return guard


def ask(guarded: Guard, n: int) -> asyncio.Future[Decision]:
    """Another number of the block, from another address."""
    attempt = guarded.attempt(f"{BLOCK}{n:04}", f"86.17.{n // 250}.{1 + n % 250}")
    return asyncio.ensure_future(guarded.assess(attempt))


@pytest.fixture
def stores(valkey_url: str, name: str) -> tuple[Asked, Asked]:
    """One as it is, and one to remember of; with nothing in common."""
    bare = RedisStore(valkey_url, name=f"{name}-bare", deadline=PATIENT)
    return Asked(bare), Asked(RedisStore(valkey_url, name=name, deadline=PATIENT))


async def test_a_flood_is_refused_in_the_same_words(stores: tuple[Asked, Asked]) -> None:
    """Each request as the bare store would refuse it; and hardly any of them is decided there."""
    bare, remembered = stores
    said = []
    for guarded in (guard(bare), guard(FullCache(remembered))):
        before = [await ask(guarded, n) for n in range(20)]
        assert before[0].allowed
        assert not before[-1].allowed
        flood = await asyncio.gather(*(ask(guarded, n) for n in range(100, 100 + CROWD)))
        said.append(
            [
                (each.action, [found.code for found in each.findings], each.degraded)
                for each in flood
            ]
        )
        await guarded.aclose()
    assert said[0] == said[1]
    assert bare.asked >= 20 + CROWD
    assert remembered.asked < 20 + CROWD // 2


async def test_codes_that_are_entered_meanwhile_do_not_let_the_flood_through_to_the_store(
    stores: tuple[Asked, Asked],
) -> None:
    """After each, one request asks whether there is room now; the others need not."""
    guarded = guard(FullCache(stores[1]))
    assert not [await ask(guarded, n) for n in range(20)][-1].allowed
    before, codes = stores[1].asked, 5
    for code in range(codes):
        user = f"+4474{12_345_678 + 13_975_313 * code}"
        assert (await guarded.assess(guarded.attempt(user, f"81.2.70.{code}"))).allowed
        guarded.verified(user)
        await guarded.settled()
        start = 100 + code * CROWD
        flood = await asyncio.gather(*(ask(guarded, n) for n in range(start, start + CROWD)))
        assert not any(each.allowed for each in flood)
    await guarded.aclose()
    # The users' own, one for each code, and one where a second that was remembered is over.
    assert stores[1].asked - before <= 5 * codes


async def test_what_is_full_for_strangers_is_not_for_customers(stores: tuple[Asked, Asked]) -> None:
    """Who is known and asks in the middle of it is held to his own limits alone."""
    guarded = guard(FullCache(stores[1]))
    first = await ask(guarded, 0)
    assert first.allowed
    guarded.verified(f"{BLOCK}0000")
    await guarded.settled()
    for n in range(1, 20):
        await ask(guarded, n)
    stranger, customer, other = await asyncio.gather(*(ask(guarded, n) for n in (30, 0, 31)))
    assert {found.rule for found in customer.findings} == {"phone_limit"}  # one a minute
    assert customer.known
    for each in (stranger, other):
        assert "credit" in {found.rule for found in each.findings}
        assert not each.allowed
    await guarded.aclose()
