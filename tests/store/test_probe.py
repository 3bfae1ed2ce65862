"""The probe: real servers that are away, and an event loop that has no time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest

from pumpguard.store import probe
from pumpguard.store.probe import Probe
from pumpguard.store.redis import RedisStore
from tests.conftest import PATIENT
from tests.store.transport.fleet import Server, cluster, until


@pytest.fixture
async def own() -> AsyncIterator[Server]:
    """A server of the test's own, to be broken."""
    with Server() as server:
        yield server


async def test_a_server_that_is_away_is_found_when_it_is_back(own: Server) -> None:
    """However this process's own loop is occupied meanwhile."""
    store, found = RedisStore(own.url), threading.Event()
    own.kill()
    Probe(store.usable).begin(found.set)
    assert not found.wait(0.3)
    own.start()
    # The event loop stands still all this time.
    assert found.wait(PATIENT)
    assert not own.ask("DBSIZE")


async def test_a_server_that_hangs_answers_the_question_that_waits(own: Server) -> None:
    """Nobody has to ask again."""
    store, found = RedisStore(own.url), threading.Event()
    with own.hanging():
        Probe(store.usable).begin(found.set)
        assert not found.wait(0.3)
    assert found.wait(PATIENT)


async def test_who_is_ended_asks_no_more(own: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its thread ends by itself."""
    monkeypatch.setattr(probe, "FIRST_PAUSE", PATIENT)
    found = threading.Event()
    asking = Probe(RedisStore(own.url).usable)
    asking.begin(found.set)
    [thread] = [each for each in threading.enumerate() if each.name.endswith("(_ask)")]
    asking.end()
    await asyncio.to_thread(thread.join, PATIENT)
    assert not thread.is_alive()
    assert not found.is_set()


async def test_a_question_that_raises_is_asked_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A bug in the question must not leave the breaker open for ever."""
    monkeypatch.setattr(probe, "FIRST_PAUSE", 0.001)
    answers, found = iter([RuntimeError("a bug"), False, True]), threading.Event()

    async def usable() -> bool:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    Probe(usable).begin(found.set)
    assert found.wait(PATIENT)
    assert "PG043" in caplog.text


REFUSING = {
    "read-only": (("REPLICAOF", "127.0.0.1", "1"), ("REPLICAOF", "NO", "ONE")),
    "out of memory": (("CONFIG", "SET", "maxmemory", "1"), ("CONFIG", "SET", "maxmemory", "0")),
    "too few replicas": (
        ("CONFIG", "SET", "min-replicas-to-write", "1"),
        ("CONFIG", "SET", "min-replicas-to-write", "0"),
    ),
    "no right": (
        ("ACL", "SETUSER", "default", "-evalsha"),
        ("ACL", "SETUSER", "default", "+evalsha"),
    ),
}


@pytest.mark.parametrize("fault", REFUSING)
async def test_a_server_that_answers_and_takes_no_writes_is_not_usable(
    own: Server, fault: str
) -> None:
    """What decisions need is asked for, and not whether somebody is there."""
    broken, healed = REFUSING[fault]
    store = RedisStore(own.url)
    assert await store.usable()
    own.ask(*broken)
    assert not await store.usable()
    own.ask(*healed)
    assert await store.usable()


async def test_of_several_shards_one_is_enough() -> None:
    """The others' questions fail by themselves."""
    with cluster() as nodes:
        store = RedisStore(f"redis+cluster://{nodes[0].seed},{nodes[1].seed}", shards=8)
        assert await store.usable()
        for node in nodes:
            node.ask("CONFIG", "SET", "maxmemory", "1")
        assert not await store.usable()
        nodes[0].ask("CONFIG", "SET", "maxmemory", "0")
        assert await store.usable()


def test_asking_leaves_no_connection_behind(own: Server) -> None:
    """Twice a second, for as long as an outage lasts."""
    store = RedisStore(own.url)
    for _ in range(5):
        assert asyncio.run(store.usable())
    until(lambda: len(own.ask("CLIENT", "LIST").splitlines()) == 1)  # who asks
