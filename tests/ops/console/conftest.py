"""A console in front of a real server."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from pumpguard import Guard, Policy
from pumpguard.ops.console import auth
from pumpguard.rules.rate_limit import RateLimit
from tests.conftest import PATIENT
from tests.ops.console.operator import Operator


@pytest.fixture
def policy(name: str) -> Policy:
    """A few messages a day for everybody, and hardly any rule."""
    limit = RateLimit(name="limit", by="everything", limits="100/day")
    return Policy(send="/s", rules=[limit], name=name, secret="a well kept secret", region="GB",
                  deadline=PATIENT)  # fmt: skip


@pytest.fixture
async def guard(policy: Policy, valkey_url: str) -> AsyncIterator[Guard]:
    """The guard that the console belongs to."""
    async with Guard(policy, valkey_url) as guard:
        yield guard


@pytest.fixture
async def there(policy: Policy, valkey_url: str) -> AsyncIterator[Guard]:
    """The same policy's guard in another process, for all they know of each other."""
    async with Guard(policy, valkey_url) as guard:
        yield guard


@pytest.fixture
def stranger(guard: Guard, monkeypatch: pytest.MonkeyPatch) -> Operator:
    """Somebody who has not come in."""
    monkeypatch.setattr(auth, "PAUSE", 0.0)
    return Operator(guard)


@pytest.fixture
async def operator(stranger: Operator) -> Operator:
    """Mike, who has."""
    assert (await stranger.sign_in()).status == 303
    return stranger
