"""Free text in a request must not choose where it is counted: neither the slot nor the subject."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis
from redis.crc import key_slot

from pumpguard import Guard, Policy
from pumpguard.counters import Window
from pumpguard.store.redis import RedisStore
from tests.asgi import PHONE, call, request
from tests.otp_app import Outbox, guarded, one_per_minute, otp_app

HOSTILE = [
    "a",
    "A",
    " a",
    "{}",
    "{a}",
    "}{",
    "}:{other",
    "a:b",
    "a|b",
    "*",
    "?",
    "[a-z]",
    "a\nb",
    "a\r\nFLUSHALL\r\n",
    "\x00",
    "\x00a",
    "é",
    "e\u0301",
    "😀",
    "x" * 127,
    "x" * 128,
    "x" * 129,
    "x" * 1_000_000,
    "x" * 999_999 + "y",
    PHONE,
    "198.51.100.7/32",
    "pg1:{default}:a",
]
"""27 sessions, each of them somebody else's."""


def test_all_of_them_are_different() -> None:
    assert len(set(HOSTILE)) == len(HOSTILE)


async def test_every_session_is_its_own_subject_on_a_real_server(
    valkey_url: str, name: str
) -> None:
    outbox = Outbox()
    store = RedisStore(valkey_url, name=name, deadline=10)
    app = guarded(
        otp_app(outbox),
        store=store,
        rules=one_per_minute("session"),
        session="session",
        max_body=2_000_000,
    )

    async def send(session: str) -> int:
        body = json.dumps({"phone": PHONE, "session": session}).encode()
        return (await call(app, request(), body)).status

    assert [await send(session) for session in HOSTILE] == [202] * len(HOSTILE)
    assert [await send(session) for session in HOSTILE] == [429] * len(HOSTILE)

    async with Redis.from_url(valkey_url) as server:
        keys = [key async for key in server.scan_iter(f"pg1:*{name}*")]
    assert len(keys) == len(HOSTILE)
    assert len({key_slot(key) for key in keys}) == 1
    assert max(map(len, keys)) < 80
    assert not any(PHONE.encode() in key for key in keys)
    await store.aclose()


def window(subject: str, dimension: str = "session", rule: str = "limit") -> Window:
    return Window(rule, dimension, subject, 1, 60)


@given(st.text(max_size=50), st.text(max_size=50))
@settings(deadline=None)
def test_one_policy_is_one_slot_and_two_subjects_are_two_keys(one: str, other: str) -> None:
    store = RedisStore("redis://nowhere")
    keys = [store.key(window(text)) for text in (one, other)]
    assert key_slot(keys[0].encode()) == key_slot(keys[1].encode())
    assert (keys[0] == keys[1]) is (one == other)


@given(st.lists(st.text("ab:|{}", max_size=4), min_size=3, max_size=3))
@settings(deadline=None)
def test_the_parts_of_a_key_cannot_run_into_each_other(parts: list[str]) -> None:
    store = RedisStore("redis://nowhere")
    rule, dimension, subject = parts
    shifted = window(subject[1:], dimension + subject[:1], rule)
    original = window(subject, dimension, rule)
    assert (store.key(original) == store.key(shifted)) is (original == shifted)


def test_without_the_secret_nobody_can_tell_whose_key_it_is() -> None:
    keys = {
        RedisStore("redis://nowhere", secret=secret).key(window(PHONE, "phone"))
        for secret in ("", "a", "b")
    }
    assert len(keys) == 3


@pytest.mark.parametrize("session", ["a\nb", "\x00", "\ud800", "x" * 5_000])
def test_what_is_long_or_unprintable_is_short_and_printable_in_memory(session: str) -> None:
    """A client must not decide how much memory its session takes; workers see it the same way."""
    found = Guard(Policy(send="/otp/send")).attempt(PHONE, session=session).session

    assert found is not None
    assert len(found) <= 128
    assert found.isprintable()
