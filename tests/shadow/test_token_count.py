"""A token is for as many messages as were decided about, in whatever processes they are sent."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import pytest
import redis

from pumpguard import Guard, Policy, sender
from pumpguard.errors import MessageNotSent
from pumpguard.intake.network import UnknownNetworks
from pumpguard.rules import RateLimit
from pumpguard.testing import FakeClock
from tests.asgi import PHONE

SECRET = "a-secret-of-32-bytes-for-a-policy"
OTHER = "+447400999999"
USUAL: dict[str, Any] = {"send": "/otp/send", "secret": SECRET, "deadline": 10}

WORKER = """
import json, sys
import redis
from pumpguard import Guard, Policy, sender
from pumpguard.errors import MessageNotSent

url, settings = sys.argv[1], json.loads(sys.argv[2])
guard = Guard(Policy(**settings), url)
jobs = redis.Redis.from_url(url)
send = sender(lambda phone, text: jobs.rpush(settings["name"] + ":sent", phone))
while (job := jobs.blpop(settings["name"] + ":jobs", timeout=1)) is not None:
    token, phone = json.loads(job[1])
    try:
        with guard.resume(token):
            send(phone, "your code")
    except MessageNotSent:
        jobs.rpush(settings["name"] + ":refused", phone)
"""
"""A queue's worker: it has a plain sender and no event loop."""


def decides(undecided: str, **settings: Any) -> Guard:
    """A guard that lets a number have one message an hour."""
    limit = RateLimit(name="limit", by="phone", limits="1/hour")
    policy = Policy(**{**USUAL, "undecided": undecided, "rules": (limit,), **settings})
    return Guard(policy, clock=FakeClock(), networks=UnknownNetworks())


@pytest.mark.parametrize("undecided", ["refused", "decided"])
async def test_two_workers_of_a_queue_send_no_more_than_was_decided(
    undecided: str, name: str, valkey_url: str
) -> None:
    """Each job was put there three times. One more is a message under no decision: refused, or
    decided about, and the number has had its message."""
    settings = {**USUAL, "name": name, "undecided": undecided, "daily_budget": 1.0}
    guard = Guard(Policy(**settings), valkey_url, networks=UnknownNetworks())
    jobs, phones = redis.Redis.from_url(valkey_url), [f"+44740012345{n}" for n in (1, 7)]
    for phone in phones:
        decision = await guard.decide(guard.attempt(phone))
        for _ in range(3):
            jobs.rpush(f"{name}:jobs", json.dumps([guard.token(decision), phone]))
    await guard.aclose()
    command = (sys.executable, "-c", WORKER, valkey_url, json.dumps(settings))
    workers = [await asyncio.create_subprocess_exec(*command) for _ in range(2)]
    assert [await worker.wait() for worker in workers] == [0, 0]
    sent, refused = (jobs.lrange(f"{name}:{what}", 0, -1) for what in ("sent", "refused"))
    assert sorted(sent) == [phone.encode() for phone in phones]
    assert len(refused) == 4


async def test_by_default_what_is_under_no_decision_is_sent() -> None:
    """And one more by a token is."""
    assert await times("sent", 3) == 3
    assert await times("refused", 3) == 1
    assert await times("decided", 3) == 1


async def times(undecided: str, tries: int) -> int:
    """How often a number is sent to by one token."""
    guard, sent = decides(undecided), list[str]()
    token = guard.token(await guard.decide(guard.attempt(PHONE)))
    send = sender(sent.append)
    for _ in range(tries):
        try:
            with guard.resume(token):
                send(PHONE)
        except MessageNotSent:
            continue
    return len(sent)


async def test_what_has_failed_may_be_tried_again_by_its_token() -> None:
    """As a queue does."""
    guard, sent = decides("refused"), list[str]()

    @guard.sender
    async def send(phone: str) -> None:
        sent.append(phone)
        if len(sent) == 1:
            raise ConnectionError("no route to the provider")

    token = guard.token(await guard.decide(guard.attempt(PHONE)))
    with guard.resume(token):
        with pytest.raises(ConnectionError):
            await send(PHONE)
        with pytest.raises(MessageNotSent):
            await send(OTHER)  # is about another number, and uses nothing up
        await send(PHONE)
        with pytest.raises(MessageNotSent):
            await send(PHONE)
    assert sent == [PHONE, PHONE]


async def test_a_token_that_is_handed_over_as_an_argument_counts_too() -> None:
    guard, sent = decides("refused"), list[str]()
    send: Any = sender(sent.append)
    token = guard.token(await guard.decide(guard.attempt(PHONE)))
    send(PHONE, pumpguard_decision=token)
    with pytest.raises(MessageNotSent):
        send(PHONE, pumpguard_decision=token)
    assert sent == [PHONE]
