"""The service in front of a guard, spoken to in ASGI."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pumpguard import Guard, Policy
from pumpguard.intake.network import UnknownNetworks
from pumpguard.ops.metrics import FirewallMetrics
from pumpguard.rules import RateLimit
from pumpguard.serve import BearerTokens, Service
from pumpguard.testing import FakeClock, SimulatedHuman
from tests.asgi import JSON, Reply, call, request
from tests.serve.running import TOKEN

PHONE = "+447400123456"


class Client:
    """A program with a token."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.guard = service.guard

    async def post(self, path: str, body: object, **headers: str) -> Reply:
        """Post JSON; ``bytes`` go as they are."""
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        said = {"authorization": f"Bearer {TOKEN}", "content-type": JSON, **headers}
        said = {name.replace("_", "-"): value for name, value in said.items()}
        return await call(
            self.service, request("POST", path, content_type=None, headers=said), sent
        )

    async def get(self, path: str, token: str = TOKEN) -> Reply:
        """Ask for a page."""
        headers = {"authorization": f"Bearer {token}"}
        return await call(self.service, request("GET", path, content_type=None, headers=headers))

    async def assess(self, phone: str = PHONE, **facts: object) -> Any:
        """One decision."""
        reply = await self.post("/v1/assess", {"phone": phone, **facts})
        assert reply.status == 200, reply.body
        return reply.json


@pytest.fixture
def clock() -> FakeClock:
    """Time, which stands still."""
    return FakeClock()


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    """The file of tokens."""
    path = tmp_path / "tokens"
    path.write_text(f"{TOKEN}\n")
    return path


@pytest.fixture
async def client(tokens: Path, clock: FakeClock) -> AsyncIterator[Client]:
    """Of a service that lets a number have two messages an hour, and no address more than four."""
    policy = Policy(
        send="/v1/assess",
        settled=True,
        dimensions={"tenant": "tenant"},
        rules=[
            RateLimit(name="phone_limit", by="phone", limits="2/hour"),
            RateLimit(name="hidden", by="network", limits="4/hour", action="shadow"),
        ],
    )
    metrics = FirewallMetrics()
    async with Guard(
        policy,
        clock=clock,
        networks=UnknownNetworks(),
        challenge=SimulatedHuman(),
        on_decision=metrics.record,
    ) as guard:
        yield Client(Service(guard, BearerTokens(tokens), metrics=metrics))
