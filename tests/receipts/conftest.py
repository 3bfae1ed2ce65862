"""An app and its receipts."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from pumpguard.store.memory import MemoryStore
from pumpguard.store.redis import RedisStore
from pumpguard.testing import FakeClock
from tests.receipts.app import App


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def app(clock: FakeClock) -> AsyncIterator[App]:
    """One over memory."""
    app = App(MemoryStore(), clock)
    yield app
    await app.settled()
    await app.guard.aclose()


@pytest.fixture
async def apps(clock: FakeClock, valkey_url: str, name: str) -> AsyncIterator[tuple[App, App]]:
    """Two processes that share a store."""
    first, second = (App(RedisStore(valkey_url, name=name), clock) for _ in range(2))
    yield first, second
    for app in (first, second):
        await app.settled()
        await app.guard.aclose()
