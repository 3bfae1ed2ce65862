"""After a run: no number, address, code or token in Redis, the log or the events."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from redis import Redis
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from pumpguard import Guard, Policy, PumpGuardMiddleware
from pumpguard.intake.network import UnknownNetworks
from pumpguard.ops.events import Events, File, Log, Stream
from tests.asgi import JSON, call, request

CODE, TOKEN, SESSION = "913377", "tok-4f6e-sesame", "s-77-cookie-value"
NUMBERS = [f"+880171234{n:04}" for n in range(7, 1_000, 83)] + ["+447400123456"]
ADDRESSES = [f"198.51.100.{n}" for n in range(31, 91)]


def app() -> Starlette:
    """Sends codes, and takes them."""

    async def answer(request: Request) -> JSONResponse:
        await request.body()
        return JSONResponse({"status": "sent", "token": TOKEN})

    routes = [Route(path, answer, methods=["POST"]) for path in ("/otp/send", "/otp/verify")]
    return Starlette(routes=routes)


async def test_nothing_in_clear(
    valkey_url: str, name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Sends, refusals, verifications, orders and alerts, with every sink."""
    file = tmp_path / "events.jsonl"
    policy = Policy(
        send="/otp/send", verify="/otp/verify", session="json:session", home=["GB"], name=name,
        secret="a well kept secret", deadline=10.0, daily_budget=10,
    )  # fmt: skip
    guard = Guard(policy, valkey_url, networks=UnknownNetworks())
    Events(guard, Stream(guard), File(file), Log())
    guarded = PumpGuardMiddleware(app(), guard=guard)
    with caplog.at_level(logging.DEBUG, "pumpguard"):
        for i in range(120):
            number, address = NUMBERS[i % len(NUMBERS)], ADDRESSES[i % len(ADDRESSES)]
            said = {"phone": number, "session": SESSION, "solution": TOKEN}
            for path in ("/otp/send", "/otp/verify"):
                body = json.dumps(said | {"code": CODE}).encode()
                scope = request(path=path, content_type=JSON, client=(address, 4711))
                await call(guarded, scope, body)
        await guard.overrides.allow(
            "number", NUMBERS[0], author="ann", reason=f"{NUMBERS[0]} asked"
        )
        await guard.aclose()
    redis = Redis.from_url(valkey_url)
    stored = [
        (key, redis.dump(key))
        for key in redis.scan_iter(f"*{name}*")
        if not key.endswith(b"overrides:text")  # what people write there is theirs to keep clean
    ]
    stream = redis.xrange(f"pg1:{{{name}}}:events") or []
    redis.close()
    events = file.read_text("utf-8")
    log = "\n".join(f"{each.getMessage()} {each.__dict__}" for each in caplog.records)
    kinds = {json.loads(line)["event"]["dataset"] for line in events.splitlines()}
    assert kinds >= {"pumpguard.decision", "pumpguard.outcome", "pumpguard.order"}
    assert len(stream) == len(events.splitlines()) > 120
    for where, text in (("Redis", repr(stored)), ("stream", repr(stream)), ("file", events),
                        ("log", log)):  # fmt: skip
        for secret in (*NUMBERS, *ADDRESSES, CODE, TOKEN, SESSION):
            assert secret.removeprefix("+") not in text, (where, secret)
