"""The page about shadows: its examples, with the providers' own classes and without a network."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from boto3 import Session
from twilio.http import HttpClient
from twilio.http.response import Response
from twilio.rest import Client

from tests.shadow.site import SHADOWED, Site

PAGE = (Path(__file__).parents[2] / "docs" / "shadow.md").read_text("utf-8")
ACCOUNT = "AC" + "0" * 32
TEXT = "Your code is 123456"


def example(provider: str) -> dict[str, Any]:
    """The names that the provider's example defines."""
    found = re.search(rf"\*\*{provider}\*\*.*?```python\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    names: dict[str, Any] = {}
    exec(found[1], names)
    return names


class Local(HttpClient):  # type: ignore[misc]  # it has no types of its own
    """Twilio's API, as far as it is needed."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def request(self, method: str, url: str, *args: Any, **options: Any) -> Response:
        """Accept a message."""
        data = options.get("data") or args[1]
        self.sent.append(data["To"])
        answer = {"sid": f"SM{secrets.token_hex(16)}", "status": "queued", "to": data["To"]}
        return Response(201, json.dumps(answer))


def twilio(names: dict[str, Any]) -> tuple[list[str], Callable[[Any], str]]:
    """What was sent, and how an app reads the id of a message."""
    local = Local()
    names["client"] = Client(ACCOUNT, "token", http_client=local)
    return local.sent, lambda message: str(message.sid)


def boto3(names: dict[str, Any]) -> tuple[list[str], Callable[[Any], str]]:
    """The same for SNS, whose answers are parsed by botocore as they come."""
    sent: list[str] = []
    client = Session("id", "key", region_name="eu-west-1").client("sns")

    def answer(params: Any, **_: object) -> tuple[Any, Any]:
        sent.append(params["body"]["PhoneNumber"])
        head = {"HTTPStatusCode": 200, "HTTPHeaders": {"date": "Thu, 26 Nov 2026 15:51:59 GMT"}}
        meta = {"RequestId": str(uuid.uuid4()), "RetryAttempts": 0, **head}
        status = type("Answer", (), {"status_code": 200})()
        return status, {"MessageId": str(uuid.uuid4()), "ResponseMetadata": meta}

    client.meta.events.register("before-call.sns.Publish", answer)
    names["sns"] = client
    return sent, lambda message: str(message["MessageId"])


PROVIDERS = {"Twilio": (twilio, r"SM[0-9a-f]{32}"), "boto3": (boto3, r"[0-9a-f\-]{36}")}


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_an_app_that_reads_its_providers_answer_answers_shadows_too(
    provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Called from the default pool of threads, as one calls these clients."""
    offline, pattern = PROVIDERS[provider]
    names = example(provider)
    sent, read = offline(names)
    ids: list[str] = []

    async def way(phone: str) -> None:
        loop = asyncio.get_running_loop()
        ids.append(read(await loop.run_in_executor(None, names["send_sms"], phone, TEXT)))

    site = Site(way)
    phones = [f"+4474001234{n}" for n in range(10, 15)]
    replies = [await site.ask(phone) for phone in (*phones, *[SHADOWED] * 5)]
    assert [reply.status for reply in replies] == [202] * 10
    assert sent == phones
    assert len(set(ids)) == 10
    assert all(re.fullmatch(pattern, each) for each in ids)
