"""The page's guard in front of Supabase Auth reads what supabase-js sends."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from pumpguard import Decision, Policy, PumpGuardMiddleware
from pumpguard.intake.network import UnknownNetworks
from tests.asgi import call, request

PAGE = (Path(__file__).parents[2] / "docs" / "hooks.md").read_text("utf-8")

PHONE = "+447400123456"

SENT = [
    (
        "POST", "/auth/v1/otp",
        {"phone": PHONE, "data": {}, "create_user": True, "gotrue_meta_security": {},
         "channel": "sms"},
    ),
    (
        "POST", "/auth/v1/signup",
        {"phone": PHONE, "password": "a good password", "data": {}, "channel": "sms",
         "gotrue_meta_security": {}},
    ),
    ("POST", "/auth/v1/resend", {"phone": PHONE, "type": "sms", "gotrue_meta_security": {}}),
    (
        "PUT", "/auth/v1/user",
        {"phone": PHONE, "code_challenge": None, "code_challenge_method": None},
    ),
]  # fmt: skip
"""What supabase-js 2.109.0 under Node 20.20 sent on 2026-11-27 for ``signInWithOtp``, ``signUp``,
``resend`` and ``updateUser``."""

VERIFIED = {"phone": PHONE, "token": "123456", "type": "sms", "gotrue_meta_security": {}}
"""The same of ``verifyOtp``."""

BY_EMAIL = [
    (
        "POST", "/auth/v1/otp",
        {"email": "a@example.com", "data": {}, "create_user": True, "gotrue_meta_security": {},
         "code_challenge": None, "code_challenge_method": None},
    ),
    (
        "POST", "/auth/v1/verify",
        {"email": "a@example.com", "token": "123456", "type": "email", "gotrue_meta_security": {}},
    ),
]  # fmt: skip

JSON = "application/json;charset=UTF-8"


async def supabase(scope: Scope, receive: Receive, send: Send) -> None:
    """It reads what it is sent, and is content with everything."""
    while (await receive()).get("more_body", False):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"{}"})


def guarded(decisions: list[Decision]) -> PumpGuardMiddleware:
    """By the policy of the page."""
    found = re.search(r"^```python\n(.*?)^```", PAGE, re.M | re.S)
    assert found is not None
    names: dict[str, Any] = {}
    exec(found[1], names)
    policy: Policy = names["policy"]
    return PumpGuardMiddleware(
        supabase, policy, networks=UnknownNetworks(), on_decision=decisions.append
    )


async def ask(app: PumpGuardMiddleware, method: str, path: str, body: object) -> int:
    scope = request(method, path, content_type=JSON)
    return (await call(app, scope, json.dumps(body).encode())).status


@pytest.mark.parametrize(("method", "path", "body"), SENT)
async def test_a_message_is_decided_about(method: str, path: str, body: object) -> None:
    """The first goes out, and another one at once does not."""
    decisions = list[Decision]()
    app = guarded(decisions)
    assert [await ask(app, method, path, body) for _ in range(2)] == [200, 429]
    assert [each.attempt.phone.e164 for each in decisions] == [PHONE] * 2


async def test_who_verifies_is_known() -> None:
    decisions = list[Decision]()
    app = guarded(decisions)
    assert await ask(app, *SENT[0]) == 200
    assert await ask(app, "POST", "/auth/v1/verify", VERIFIED) == 200
    await app.guard.settled()
    await ask(app, *SENT[0])
    assert [each.known for each in decisions] == [False, True]


@pytest.mark.parametrize(("method", "path", "body"), BY_EMAIL)
async def test_email_passes(method: str, path: str, body: object) -> None:
    decisions = list[Decision]()
    app = guarded(decisions)
    assert [await ask(app, method, path, body) for _ in range(3)] == [200] * 3
    assert decisions == []
