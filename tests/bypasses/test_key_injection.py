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
from pumpguard.counters.plan import Plan
from pumpguard.store.base import Question
from pumpguard.store.redis import RedisStore
from pumpguard.testing import make_attempt
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
    assert len(keys) == len(HOSTILE) + 1  # the number's, which keeps its open messages
    assert len({key_slot(key) for key in keys}) == 1
    assert max(map(len, keys)) < 80
    assert not any(PHONE.encode() in key for key in keys)
    await store.aclose()


def key(store: RedisStore, subject: str, by: str = "session") -> str:
    plan = Plan([Window("limit", by, 1, 60)], [True])
    return store.keys(Question(plan, (subject,)))[0]


@given(st.text(max_size=50), st.text(max_size=50))
@settings(deadline=None)
def test_one_policy_is_one_slot_and_two_subjects_are_two_keys(one: str, other: str) -> None:
    store = RedisStore("redis://nowhere")
    keys = [key(store, text) for text in (one, other)]
    assert key_slot(keys[0].encode()) == key_slot(keys[1].encode())
    assert (keys[0] == keys[1]) is (one == other)


@given(st.text("ab:|+{}", max_size=4), st.text("ab:|+{}\0", max_size=4))
@settings(deadline=None)
def test_the_parts_of_a_key_cannot_run_into_each_other(by: str, subject: str) -> None:
    store = RedisStore("redis://nowhere")
    shifted = (subject[1:], by + subject[:1].replace("\0", ""))
    assert (key(store, subject, by) == key(store, *shifted)) is ((subject, by) == shifted)


@given(*[st.text("a:|+1", min_size=1, max_size=4)] * 4)
@settings(deadline=None)
def test_dimensions_in_combination_cannot_run_into_each_other(
    session: str, device: str, other_session: str, other_device: str
) -> None:
    """Session ``a|b`` on device ``c`` is not session ``a`` on device ``b|c``."""
    one = make_attempt(session=session, device=device)
    other = make_attempt(session=other_session, device=other_device)
    same = (session, device) == (other_session, other_device)
    by = "session+device"
    assert (one.subject(by) == other.subject(by)) is same


def test_without_the_secret_nobody_can_tell_whose_key_it_is() -> None:
    stores = [RedisStore("redis://nowhere", secret=secret) for secret in ("", "a", "b")]
    assert len({key(store, PHONE, "phone") for store in stores}) == 3


@pytest.mark.parametrize("session", ["a\nb", "\x00", "\ud800", "x" * 5_000])
def test_what_is_long_or_unprintable_is_short_and_printable_in_memory(session: str) -> None:
    """A client must not decide how much memory its session takes; workers see it the same way."""
    found = Guard(Policy(send="/otp/send")).attempt(PHONE, session=session).session

    assert found is not None
    assert len(found) <= 128
    assert found.isprintable()
