"""One decision, one trip: counted by the server, for the whole chain behind real HTTP messages."""

from __future__ import annotations

import asyncio

import pytest
from fastapi import FastAPI, Response
from httpx import ASGITransport, AsyncClient
from redis import Redis as Server
from redis.asyncio import Redis

from pumpguard import Guard, Policy, PumpGuardMiddleware, watch
from pumpguard.outcomes.queue import BATCH
from pumpguard.store.embedded import EmbeddedServer
from tests.conftest import PATIENT, SERVERS, script_calls

REQUESTS = 1_000
INSIDE_THE_SCRIPT = {"mget", "set", "time"}


@pytest.fixture(autouse=True)
def _nobody_watches_for_attacks(monkeypatch: pytest.MonkeyPatch) -> None:
    """That is done every ten seconds, beside all requests: on a slow machine, among what is
    counted."""
    monkeypatch.setattr(watch, "TICK", 3_600.0)


@pytest.mark.parametrize("server", SERVERS)
async def test_1000_requests_are_1000_script_calls_and_nothing_else(
    servers: dict[str, EmbeddedServer], server: str, name: str
) -> None:
    """The default chain, a dozen rules and more: INFO commandstats before and after."""
    app = FastAPI()

    @app.post("/otp/send", status_code=202)
    async def send() -> dict[str, str]:
        return {"status": "sent"}

    policy = Policy(
        send="/otp/send", home=["GB"], name=name, deadline=PATIENT, proxies=["127.0.0.1"]
    )
    assert len(policy.chain) >= 12
    guard = Guard(policy, servers[server].url)
    app.add_middleware(PumpGuardMiddleware, guard=guard)

    async def request(client: AsyncClient, n: int) -> int:
        # Spread over blocks and addresses, so that most are admitted and some are not.
        reply = await client.post(
            "/otp/send",
            json={"phone": f"+44740{(n * 7_990_271) % 10_000_000:07}"},
            headers={"x-forwarded-for": f"86.{n % 50}.{n % 7}.1"},
        )
        return reply.status_code

    async with (
        guard,
        Redis.from_url(servers[server].url, decode_responses=True) as redis,
        AsyncClient(transport=ASGITransport(app), base_url="http://app") as client,
    ):
        await request(client, 0)  # connects, and leaves the script with the server
        await guard.check()  # or it would be done in the background, among what is counted
        await redis.config_resetstat()
        reads = (await redis.info("stats")).get("total_reads_processed", 0)
        statuses = [await request(client, n) for n in range(1, REQUESTS + 1)]
        stats = await redis.info("commandstats")
        trips = (await redis.info("stats")).get("total_reads_processed", 0) - reads

    assert set(statuses) <= {202, 403, 429}
    assert statuses.count(202) > REQUESTS / 2
    calls = {key.removeprefix("cmdstat_"): row["calls"] for key, row in stats.items()}
    assert script_calls(stats) == REQUESTS
    ours = {"info", "config", "config|resetstat", "evalsha", "fcall", "function|load"}
    assert set(calls) - ours <= INSIDE_THE_SCRIPT
    assert trips <= REQUESTS + 5  # each command arrived in one read; the rest are ours


@pytest.mark.parametrize("server", SERVERS)
async def test_outcomes_are_told_beside_the_path_and_in_batches(
    servers: dict[str, EmbeddedServer], server: str, name: str
) -> None:
    """With budget, credit and conversion a request still costs one call. Of 200 messages that fail
    together 16 are told in one; each verification first takes its number's tickets, with one."""
    app = FastAPI()
    status = 202

    @app.post("/otp/send")
    @app.post("/otp/verify")
    async def answer(body: dict[str, str]) -> Response:
        return Response(status_code=status)

    policy = Policy(
        send="/otp/send", verify="/otp/verify", home=["GB"], name=name, deadline=PATIENT,
        proxies=["127.0.0.1"], daily_budget=100_000,
    )  # fmt: skip
    assert {"budget", "credit", "conversion"} <= {rule.name for rule in policy.chain}
    guard = Guard(policy, servers[server].url)
    app.add_middleware(PumpGuardMiddleware, guard=guard)
    many = range(200)

    async with (
        guard,
        AsyncClient(transport=ASGITransport(app), base_url="http://app") as client,
    ):

        async def post(route: str, n: int) -> int:
            phone, address = f"+44740{n * 40_009 % 10_000_000:07}", f"86.{n % 16}.{n // 16 % 250}.1"
            reply = await client.post(
                route, json={"phone": phone}, headers={"x-forwarded-for": address}
            )
            return reply.status_code

        async def calls() -> int:
            await guard.settled()
            with Server.from_url(servers[server].url) as asked:
                found = script_calls(asked.info("commandstats"))
                asked.config_resetstat()
            return found

        await post("/otp/send", 1_000)  # connects, and leaves the scripts with the server
        await guard.check()
        await post("/otp/verify", 1_000)
        status = 503
        await post("/otp/send", 1_001)
        await calls()

        status = 202
        sent = [await post("/otp/send", n) for n in many]
        assert sent.count(202) > len(many) * 0.8
        assert await calls() == len(many)

        assert await asyncio.gather(*(post("/otp/verify", n) for n in many)) == [202] * len(many)
        assert len(many) < await calls() <= len(many) * (1 + 2 / BATCH) + 5

        status = 503
        failing = await asyncio.gather(*(post("/otp/send", 5_000 + n) for n in many))
        assert failing.count(503) > len(many) * 0.8
        assert len(many) < await calls() <= len(many) * (1 + 2 / BATCH) + 5
