"""Asking many times at once must not get more than asking one after the other."""

from __future__ import annotations

import asyncio

import pytest

from pumpguard.rules import RateLimit
from pumpguard.store.base import Store
from pumpguard.store.redis import RedisStore
from tests.asgi import PHONE, ask
from tests.otp_app import Outbox, guarded, otp_app


@pytest.mark.parametrize("limit", [1, 7, 20])
async def test_64_at_once_are_admitted_up_to_the_limit_and_no_further(
    store: Store, limit: int
) -> None:
    """20 is kept in slices, 1 and 7 are kept as a log: both hold."""
    outbox = Outbox()
    rules = (RateLimit(name="limit", by="phone", limits=f"{limit}/minute"),)
    app = guarded(otp_app(outbox), store=store, rules=rules)
    replies = await asyncio.gather(*(ask(app) for _ in range(64)))

    assert len(outbox.sent) == limit
    assert sorted(reply.status for reply in replies) == [202] * limit + [429] * (64 - limit)


async def test_workers_that_share_a_server_share_the_limit(valkey_url: str, name: str) -> None:
    outbox = Outbox()
    stores = [RedisStore(valkey_url, name=name, deadline=10) for _ in range(4)]
    apps = [guarded(otp_app(outbox), store=store) for store in stores]
    await asyncio.gather(*(ask(apps[i % 4]) for i in range(64)))
    await asyncio.gather(*(store.aclose() for store in stores))

    assert outbox.sent == [PHONE]


async def test_a_request_that_is_cancelled_gives_nothing_back(valkey_url: str, name: str) -> None:
    """Hanging up while the store decides must not be a way to ask for free, again and again."""
    outbox = Outbox()
    store = RedisStore(valkey_url, name=name, deadline=10)
    app = guarded(otp_app(outbox), store=store)
    for _ in range(20):
        hasty = asyncio.create_task(ask(app))
        await asyncio.sleep(0)
        hasty.cancel()
        await asyncio.gather(hasty, return_exceptions=True)
    replies = [await ask(app) for _ in range(2)]
    await store.aclose()

    assert len(outbox.sent) <= 1
    assert replies[-1].status == 429


@pytest.mark.parametrize("others", [1, 5])
async def test_one_client_at_full_speed_takes_nothing_from_others(
    store: Store, others: int
) -> None:
    outbox = Outbox()
    rules = (
        RateLimit(name="client", by="network", limits="1/minute"),
        RateLimit(name="all", by="everything", limits="10/minute"),
    )
    app = guarded(otp_app(outbox), store=store, rules=rules)
    await asyncio.gather(*(ask(app, client=("203.0.113.9", i)) for i in range(64)))
    for i in range(others):
        assert (await ask(app, client=(f"198.51.100.{i}", 1))).status == 202
