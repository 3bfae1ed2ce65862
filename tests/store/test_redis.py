"""What only the Redis store promises: one trip, keys that say nothing, a deadline, no retries."""

from __future__ import annotations

import asyncio
import re
import socket
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from redis.asyncio import Redis

from pumpguard.counters import KINDS, Window
from pumpguard.counters.plan import Plan
from pumpguard.errors import StoreError
from pumpguard.store.base import DAY, Question
from pumpguard.store.redis import RedisStore
from pumpguard.store.scripts import Script, decide_script, redeem_script, settle_script
from tests.conftest import PATIENT, script_calls
from tests.store.asking import (
    PHONE,
    PULSE,
    REFUNDS,
    START,
    TICKETS,
    About,
    ask,
    ban,
    conversion,
    credit,
    distinct,
    neighbours,
    question,
    redeem,
    settle,
    settlement,
    spend,
    window,
)


@pytest.fixture
async def redis(valkey_url: str, name: str) -> AsyncIterator[RedisStore]:
    store = RedisStore(valkey_url, name=name, deadline=PATIENT)
    yield store
    await store.aclose()


@pytest.fixture
async def server(valkey_url: str) -> AsyncIterator[Redis]:
    client = Redis.from_url(valkey_url)
    yield client
    await client.aclose()


async def keys_of(server: Redis, name: str) -> list[bytes]:
    return [key async for key in server.scan_iter(match=f"*{name}*")]


async def test_every_key_expires(redis: RedisStore, server: Redis, name: str) -> None:
    """Whatever kind, whatever outcome: no key without a TTL, ever."""
    for at in range(40):
        await ask(redis, window(1), window(20, rule="wide"), ban(strikes=2), at=at)
        await ask(redis, distinct("GB"), neighbours(at * 20), ban(30, "attempts"), at=at)
    keys = await keys_of(server, name)
    assert len(keys) == 3
    for key in keys:
        assert await server.pttl(key) > 0, key


async def test_a_window_expires_with_itself(redis: RedisStore, server: Redis, name: str) -> None:
    """A key lives as long as what it holds can matter, and a tenth longer."""
    await ask(redis, window(1, seconds=60))
    [key] = await keys_of(server, name)
    assert 60_000 < await server.pttl(key) <= 66_000


async def test_keys_say_nothing_about_people(redis: RedisStore, server: Redis, name: str) -> None:
    """Neither a number nor an address can be read off a key or a value."""
    secret = "+447911123456"
    await ask(redis, window(3, subject=secret), ban(subject=secret), distinct(secret))
    for key in await keys_of(server, name):
        assert re.fullmatch(rb"pg1:\{test-[0-9a-f]{12}\}:[0-9a-f]{20}", key)
        value = await server.get(key) or b""
        assert "7911" not in str(key) + str(value)
        assert len(value) <= 64


def keys_for(store: RedisStore, *subjects: str, by: str = "phone") -> list[str]:
    plan = Plan([Window("rule", by, 1, 60)], [True])
    return [store.keys(Question(plan, (subject,)))[0] for subject in subjects]


def test_keys_depend_on_the_secret() -> None:
    """Without the secret, hashing all numbers of a country finds nobody."""
    one, other = (RedisStore("redis://x", secret=secret) for secret in ("s1", "s2"))
    assert keys_for(one, "+447400123456") != keys_for(other, "+447400123456")


def test_all_keys_of_a_policy_share_a_slot() -> None:
    """The hash tag is the policy's name, whatever a subject contains."""
    store = RedisStore("redis://x", name="shop")
    for key in keys_for(store, "a", "}{", "{x}", "\n", "é" * 100_000, "\ud800"):
        assert re.fullmatch(r"pg1:\{shop\}:[0-9a-f]{20}", key)


def test_subjects_and_dimensions_never_run_together() -> None:
    """("phone", "1") and ("phone1", "") are two keys."""
    store = RedisStore("redis://x")
    keys = keys_for(store, "x", "y", "xy", "") + keys_for(store, "", "y", by="phonex")
    assert len(set(keys)) == 6


async def test_all_about_one_subject_is_one_short_value(
    redis: RedisStore, server: Redis, name: str
) -> None:
    """Three limits on a phone are one key and one log: 6 bytes, 4 bytes, and 6 per hit."""
    for at in (0, 61, 122):
        await ask(redis, *(window(5, seconds=s) for s in (60, 3600, 86_400)), at=at)
    [key] = await keys_of(server, name)
    assert await server.strlen(key) == 6 + (4 + 3 * 6)


async def test_what_another_version_keeps_is_left_alone(redis: RedisStore) -> None:
    """In a rolling deploy, two policies write to the same subjects; neither drops the other's."""
    old, new = window(3, rule="old"), window(3, rule="new")
    await ask(redis, old, window(3))
    await ask(redis, new, window(3))
    answer = await ask(redis, old, new, window(3))
    assert [answer.readings[i].used for i in range(3)] == [1, 1, 2]


async def test_one_question_is_one_command(redis: RedisStore, server: Redis) -> None:
    """The server counts: one call of a script per question, whatever the number of counters."""
    twelve = [window(1000, subject=f"subject-{i}") for i in range(12)]
    await ask(redis, *twelve)  # connects, and leaves the script with the server
    await server.config_resetstat()
    for at in range(100):
        await ask(redis, *twelve, at=at)
    stats = await server.info("commandstats")
    calls = {name.removeprefix("cmdstat_"): row["calls"] for name, row in stats.items()}
    assert script_calls(stats) == calls.pop("fcall") == 100
    assert calls.pop("mget") == 200  # inside the script: whoever may be banned, and the others
    assert calls.pop("set") == 1200  # inside the script
    calls.pop("config|resetstat", None)
    assert not calls


async def test_the_servers_clock_decides(redis: RedisStore) -> None:
    """Asked without a time, the answer carries the server's."""
    timeless = replace(question(window(1)), at=None)
    answer = await redis.decide(timeless)
    assert abs(answer.at - time.time()) < 5
    assert not (await redis.decide(timeless)).admitted


async def test_a_lost_script_costs_one_more_trip(redis: RedisStore, server: Redis) -> None:
    """After a restart or SCRIPT FLUSH the next question brings the script along."""
    await ask(redis, window(5))
    await server.script_flush()
    answer = await ask(redis, window(5))
    assert answer.admitted
    assert answer.readings[0].used == 1


@pytest.mark.parametrize("garbage", [b"", b"x", b"\xff" * 7, b"\x00" * 50, b"z" * 333])
async def test_foreign_values_break_nothing(
    redis: RedisStore, server: Redis, garbage: bytes
) -> None:
    """A key that holds something else is read as well as it can be; nobody gets an error."""
    abouts = [window(3), window(30, rule="wide"), distinct("GB"), neighbours(5), ban()]
    abouts += [spend(90, subject="x"), credit(90), conversion(), About(PULSE), *PHONE]
    for key in redis.keys(question(*abouts)):
        await server.set(key, garbage)
    await ask(redis, *abouts)
    await ask(redis, *abouts, at=1)
    await redeem(redis, at=2)
    await settle(redis, *abouts[5:9], About(TICKETS), About(REFUNDS), at=3)
    for key in redis.keys(question(*abouts)):
        assert await server.pttl(key) > 0


async def test_a_key_of_another_type_is_a_store_fault(redis: RedisStore, server: Redis) -> None:
    """MGET reads a list as nothing and SET replaces it, so even that heals."""
    [key] = redis.keys(question(window(3)))
    await server.rpush(key, "intruder")
    assert (await ask(redis, window(3))).admitted
    assert await server.pttl(key) > 0


async def test_nobody_there_is_a_typed_error_at_once() -> None:
    """A refused connection is a StoreError, and is not tried again."""
    store = RedisStore("redis://127.0.0.1:1", deadline=PATIENT)
    with pytest.raises(StoreError):
        await ask(store, window(1))
    await store.aclose()


async def silent_server(heard: list[bytes], closed: asyncio.Event) -> asyncio.Server:
    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while chunk := await reader.read(65_536):
                heard.append(chunk)
        writer.close()
        closed.set()

    return await asyncio.start_server(listen, "127.0.0.1", 0)


async def test_a_server_that_never_answers_is_asked_once() -> None:
    """The deadline ends the call; a call that may have counted is not repeated."""
    heard: list[bytes] = []
    closed = asyncio.Event()
    async with await silent_server(heard, closed) as server:
        port = server.sockets[0].getsockname()[1]
        store = RedisStore(f"redis://127.0.0.1:{port}", deadline=0.05)
        with pytest.raises(StoreError, match=r"deadline|no reply"):
            await ask(store, window(1))
        await store.aclose()
        await asyncio.wait_for(closed.wait(), PATIENT)
        assert b"".join(heard).count(b"EVALSHA") == 1


async def test_cancelled_requests_tear_down_no_connections(
    redis: RedisStore, server: Redis
) -> None:
    """A client that hangs up mid-decision costs no reconnect and crosses no replies."""
    await ask(redis, window(1000))
    before = (await server.info("stats"))["total_connections_received"]
    for i in range(300):
        task = asyncio.create_task(ask(redis, window(1000, subject=f"gone-{i}")))
        await asyncio.sleep(0)
        task.cancel()
    answers = await asyncio.gather(
        *(ask(redis, window(10, subject=f"mine-{i}")) for i in range(50))
    )
    assert all(answer.readings[0].used == 0 for answer in answers)
    opened = (await server.info("stats"))["total_connections_received"] - before
    assert opened == 0


def test_one_store_serves_several_event_loops(valkey_url: str, name: str) -> None:
    """Each loop has connections of its own, made when first needed."""
    store = RedisStore(valkey_url, name=name, deadline=PATIENT)

    async def once() -> Any:
        try:
            return (await ask(store, window(5))).readings[0].used
        finally:
            await store.aclose()

    assert [asyncio.run(once()) for _ in range(3)] == [0, 1, 2]


@pytest.mark.parametrize(
    ("script", "calls"),
    [
        (
            decide_script(frozenset(KINDS), frozenset({"log", "slices"})),
            [("MGET", "unpack"), ("MGET", "unpack"), ("SET", "key"), ("SET", "key"), ("TIME", "")],
        ),
        (redeem_script(), [("GET", "KEYS"), ("SET", "key"), ("SET", "key"), ("TIME", "")]),
        (settle_script(), [("MGET", "unpack"), ("SET", "key"), ("SET", "key"), ("TIME", "")]),
    ],
)
def test_scripts_name_every_key_they_touch(script: Script, calls: list[tuple[str, str]]) -> None:
    """Cluster and Dragonfly refuse others: scripts build no key names."""
    touched = re.findall(r"redis\.call\('(\w+)'(?:, (\w+))?", script.body)
    assert sorted(touched) == calls
    names = re.findall(r"value_write\(\s*([\w\[\]]+),", script.body)
    assert set(names) <= {"key", "KEYS[g]", "KEYS[1]", "name"}


async def test_outcomes_travel_sixteen_at_a_time(redis: RedisStore, server: Redis) -> None:
    """A batch is one command, and shares what its outcomes have in common."""
    await settle(redis, credit(10**6))
    await server.config_resetstat()
    told = [settlement(credit(10**6), price=100, age=20_000) for _ in range(40)]
    assert await redis.settle(told) == 40
    stats = await server.info("commandstats")
    assert script_calls(stats) == 3
    assert stats["cmdstat_set"]["calls"] == 3
    assert (await ask(redis, credit(10**6))).readings[0].detail[1] == 4_000


async def test_no_value_outgrows_its_segments(redis: RedisStore, server: Redis, name: str) -> None:
    """A segment holds 255 bytes; the fullest of each kind is below that."""
    many = (spend(10**9), credit(10**9), conversion(seconds=600), *PHONE)
    for n in range(40):
        at, ticket = n * 50, n.to_bytes(4)
        await ask(redis, *many, price=10, ticket=ticket, at=at)
        told: dict[str, Any] = {"price": 10, "age": 20_000, "sent_at": int(START + at) * 1000}
        await settle(redis, *many[1:3], at=at, network=str(n), **told)
    for day in range(20):
        await settle(redis, *many[1:3], at=DAY * day, price=1, age=20_000)
    values = [await server.get(key) or b"" for key in await keys_of(server, name)]
    assert len(values) == 4
    assert max(len(value) for value in values) <= 6 + 4 + 255


def test_the_url_may_be_a_unix_socket(valkey_url: str) -> None:
    """The embedded server is reached without a port."""
    assert valkey_url.startswith("unix://")
    with socket.socket(socket.AF_UNIX) as probe:
        probe.connect(valkey_url.removeprefix("unix://"))
