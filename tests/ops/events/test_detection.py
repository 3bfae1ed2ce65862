"""A published detection of SMS pumping runs on our events unchanged, in the engine of its language.

The query asks for fifty requests of one address to a route for codes within five minutes (EQL, for
MITRE's T1496.003). The package ``eql`` understands all of it with two of its options: the syntax of
Elasticsearch, and ``runs``, which it otherwise refuses.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import eql
import pytest
import uvicorn
from eql.parser import allow_runs, elasticsearch_syntax
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from pumpguard import Guard, Policy, PumpGuardMiddleware
from pumpguard.intake.network import UnknownNetworks
from pumpguard.ops.events import Event, Events
from pumpguard.testing import FakeClock
from tests.asgi import ask

PATHS = (
    "*/otp*", "*/verify*", "*/verification*", "*/confirm*", "*/sms*", "*/phone*", "*/mobile*",
    "*/2fa*", "*/mfa*", "*/passcode*", "*/send-code*", "*/send_code*",
)  # fmt: skip
QUERIES = ("*phone*", "*mobile*", "*otp*", "*verify*")
PROVIDERS = (
    "*twilio.com*", "*sns.amazonaws.com*", "*vonage.com*", "*plivo.com*", "*telnyx.com*",
    "*messagebird.com*",
)  # fmt: skip
ROUTE = "/otp/send"
TICKS = 10_000_000
"""The engine's units of time in a second."""


def any_of(*texts: str) -> str:
    """A list as the language has it."""
    return f"({', '.join(f'{chr(34)}{each}{chr(34)}' for each in texts)})"


QUERY = f"""
sequence by source.ip with maxspan=5m
  [network where event.category == "network" and network.protocol in {any_of("http", "https")}
    and http.request.method in {any_of("POST", "GET")}
    and (url.path : {any_of(*PATHS)} or url.query : {any_of(*QUERIES)}
      or url.original : {any_of(*PROVIDERS)})
    and http.response.status_code in (200, 400, 422, 429)
  ] with runs=50
"""


def found(events: Iterable[Event], *patterns: str) -> list[Any]:
    """What the detection finds in them, with these patterns of paths beside its own."""
    query = QUERY.replace(any_of(*PATHS), any_of(*PATHS, *patterns))
    with elasticsearch_syntax, allow_runs:
        engine = eql.PythonEngine()
        engine.add_query(eql.parse_query(query))
    results: list[Any] = []
    engine.add_output_hook(results.append)
    for event in events:
        at = datetime.fromisoformat(event["@timestamp"]).timestamp()
        engine.stream_event(eql.Event(event["event"]["category"], int(at * TICKS), event))
    engine.finalize()
    return results


def assert_found(events: Iterable[Event], address: str, *patterns: str) -> None:
    """The burst of one address, and nothing else."""
    bursts = found(events, *patterns)
    assert bursts
    for burst in bursts:  # the engine tells each fifty in a row
        assert len(burst.events) == 50
        assert {each.data["source"]["ip"] for each in burst.events} == {address}


async def answers(scope: Scope, receive: Receive, send: Send) -> None:
    """An app that says that it has sent a code."""
    await JSONResponse({"status": "sent"})(scope, receive, send)


def watched(
    clock: FakeClock | None = None, route: str = ROUTE
) -> tuple[PumpGuardMiddleware, Events, list[Event]]:
    """An app behind the default rules, and its events."""
    policy = Policy(send=route, home=["GB"], secret="a well kept secret", deadline=5.0)
    guard = Guard(policy, clock=clock, networks=UnknownNetworks())
    events: list[Event] = []
    writer = Events(guard, events.append)
    return PumpGuardMiddleware(answers, guard=guard), writer, events


async def test_a_day_without_a_burst_and_the_burst() -> None:
    """An office of thirty, and users who try again, are none; a script is one."""
    clock, draw = FakeClock(), random.Random(1)
    app, writer, events = watched(clock)

    async def user(address: str, phone: str) -> None:
        for _ in range(draw.choice((1, 1, 2))):
            await ask(app, phone, path=ROUTE, client=(address, 4711))
            clock.advance(draw.expovariate(1 / 20))

    for i in range(200):
        await user(f"81.2.{i}.{draw.randrange(1, 255)}", f"+4474001{draw.randrange(10**5):05}")
        if i == 100:
            for n in range(30):
                await user("82.3.4.5", f"+4474002{n * 3_331:05}")
    await writer.flush()
    quiet = len(events)
    clock.advance(3_600)
    for _ in range(60):
        await ask(app, "+447400123456", path=ROUTE, client=("198.51.100.7", 4711))
        clock.advance(0.2)
    await app.guard.aclose()
    assert quiet > 230
    assert found(events[:quiet]) == []
    assert_found(events, "198.51.100.0")


@pytest.mark.parametrize(("route", "patterns"), [(ROUTE, ()), ("/api/auth/send-otp", ("*-otp*",))])
async def test_sixty_parallel_requests_with_curl(route: str, patterns: tuple[str, ...]) -> None:
    """The detection's own test of such a burst, over a real server. The path that it names is not
    among the query's own patterns, so there it needs one more."""
    app, _, events = watched(route=route)
    config = uvicorn.Config(app, port=0, log_level="warning", proxy_headers=False)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    curl = await asyncio.create_subprocess_exec(
        "curl", "--silent", "--parallel", "--parallel-max", "20", "--output", "/dev/null",
        "--write-out", "%{http_code}\n", "--header", "content-type: application/json",
        "--data", '{"phone": "+447400123456"}', f"http://127.0.0.1:{port}{route}?n=[1-60]",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said, _ = await curl.communicate()
    server.should_exit = True
    await serving
    await app.guard.aclose()
    assert len(said.split()) == len(events) == 60  # one number: no attack is told of
    assert_found(events, "127.0.0.0", *patterns)
