"""The whole way: a hook, a message by a provider, and the provider's receipt for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest
from starlette.routing import Mount

from pumpguard import Guard, Policy
from pumpguard.receipts import Receipts
from pumpguard.rules import RateLimit
from pumpguard.senders.feedback import Feedback
from pumpguard.serve import BearerTokens, Service
from pumpguard.serve.hooks.settings import hooks_of, read_hooks
from tests.asgi import JSON, call, request
from tests.receipts.signing import TOKEN, ByTwilio
from tests.senders.provider import Provider
from tests.serve.hooks.servers import SECRET, SERVERS

PHONE = "+447400123456"
TWILIO = f"""
    provider = "Twilio"
    account = "AC1"
    token = "{TOKEN}"
    from_ = "+15005550006"
"""


def hooks_toml(folder: Path, sender: str, **receipts: str) -> Path:
    """Logto's hook, that sender, and where its receipts come, if anywhere."""
    text = f'[sender]\n{sender}\n[[hook]]\nserver = "logto"\nsecret = "{SECRET}"\n'
    if receipts:
        text += '[receipts]\nurl = "https://app.example/receipts"\n'
        text += "".join(f'{name} = "{secret}"\n' for name, secret in receipts.items())
    path = folder / "hooks.toml"
    path.write_text(text)
    return path


async def test_a_message_that_twilio_did_not_send(tmp_path: Path, tokens: Path) -> None:
    """Logto asks, Twilio takes the message and reports later that it has not sent it: then the
    number may have another one."""
    limit = RateLimit(name="phone_limit", by="phone", limits="1/hour")
    async with (
        Guard(Policy(send="/s", settled=True, rules=[limit])) as guard,
        Provider(201, {"sid": "SM9"}) as twilio,
    ):
        path = hooks_toml(tmp_path, f'{TWILIO}base = "{twilio.origin}"', twilio=TOKEN)
        routes = hooks_of(path, guard)
        service = Service(guard, BearerTokens(tokens), routes=routes)
        headers = {"authorization": SECRET, "content-type": JSON}
        scope = request("POST", "/hooks/logto", content_type=None, headers=headers)
        reply = await call(service, scope, json.dumps(SERVERS[1].body(PHONE)).encode())
        assert reply.status == 200
        (asked,) = twilio.bodies
        assert isinstance(asked, dict)
        assert asked["StatusCallback"] == "https://app.example/receipts/twilio"
        assert not (await guard.assess(guard.attempt(PHONE))).allowed

        body, headers, _ = ByTwilio().report("SM9", "failed", 0)
        scope = request("POST", "/receipts/twilio", content_type=None, headers=headers)
        assert (await call(service, scope, body)).status == 204
        mount = routes[-1]
        assert isinstance(mount, Mount)
        assert isinstance(mount.app, Receipts)
        await mount.app.done()
        await guard.settled()
        assert (await guard.assess(guard.attempt(PHONE))).allowed


@pytest.mark.parametrize(
    ("sender", "asked"),
    [
        ('"Infobip"\nbase = "https://x.api.infobip.com"\nfrom_ = "Shop"', True),
        ('"Bird"\nworkspace = "w"\nchannel = "c"', False),
    ],
    ids=["infobip", "bird"],
)
async def test_who_is_told_where_to_report(tmp_path: Path, sender: str, asked: bool) -> None:
    """A provider that is told by its own pages is not told by each message."""
    path = hooks_toml(tmp_path, f'provider = {sender}\nkey = "key"', infobip=TOKEN, bird=TOKEN)
    async with Guard(Policy(send="/s", rules=[])) as guard:
        send, _, receipts = read_hooks(path, guard)
        assert receipts is not None
        told: Any = getattr(send, "_fixed", {})
        assert told.get("notifyUrl") == (receipts.callback("infobip") if asked else None)


async def test_a_provider_that_wants_to_know_is_told(tmp_path: Path) -> None:
    """``feedback = true`` is all there is to say: who verifies is told to Twilio."""
    path = hooks_toml(tmp_path, f"{TWILIO}feedback = true")
    async with Guard(Policy(send="/s", settled=True, rules=[])) as guard:
        send, _, _ = read_hooks(path, guard)
        (feedback,) = guard.listeners
        assert isinstance(feedback, Feedback)
        assert cast(Any, send)._sent == (feedback.sent,)
