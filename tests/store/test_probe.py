"""The probe: real servers that are away, and an event loop that has no time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from functools import partial

import pytest

from pumpguard.store import breaker
from pumpguard.store.breaker import Probe
from pumpguard.store.health import usable
from pumpguard.store.transport.topology import Standalone
from tests.conftest import PATIENT
from tests.store.transport.fleet import Server, until


@pytest.fixture
async def own() -> AsyncIterator[Server]:
    """A server of the test's own, to be broken."""
    with Server() as server:
        yield server


def asking(server: Server) -> Probe:
    """A probe as a store has it."""
    return Probe(partial(usable, Standalone(server.url), "key"))


async def test_a_server_that_is_away_is_found_when_it_is_back(own: Server) -> None:
    """However this process's own loop is occupied meanwhile."""
    found = threading.Event()
    own.kill()
    asking(own).begin(found.set)
    assert not found.wait(0.3)
    own.start()
    # The event loop stands still all this time.
    assert found.wait(PATIENT)
    assert not own.ask("DBSIZE")


async def test_a_server_that_hangs_answers_the_question_that_waits(own: Server) -> None:
    """Nobody has to ask again."""
    found = threading.Event()
    with own.hanging():
        asking(own).begin(found.set)
        assert not found.wait(0.3)
    assert found.wait(PATIENT)


async def test_who_is_ended_asks_no_more(own: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its thread ends by itself."""
    monkeypatch.setattr(breaker, "FIRST_PAUSE", PATIENT)
    found = threading.Event()
    probing = asking(own)
    probing.begin(found.set)
    [thread] = [each for each in threading.enumerate() if each.name.endswith("(_ask)")]
    probing.end()
    await asyncio.to_thread(thread.join, PATIENT)
    assert not thread.is_alive()
    assert not found.is_set()


async def test_a_question_that_raises_is_asked_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A bug in the question must not leave the breaker open for ever."""
    monkeypatch.setattr(breaker, "FIRST_PAUSE", 0.001)
    found = threading.Event()
    answers: Iterator[bool | Exception] = iter([RuntimeError("a bug"), False, True])

    async def ask() -> bool:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    Probe(ask).begin(found.set)
    assert found.wait(PATIENT)
    assert "PG019" in caplog.text


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
    assert await usable(Standalone(own.url), "key")
    own.ask(*broken)
    assert not await usable(Standalone(own.url), "key")
    own.ask(*healed)
    assert await usable(Standalone(own.url), "key")


def test_asking_leaves_no_connection_behind(own: Server) -> None:
    """Twice a second, for as long as an outage lasts."""
    for _ in range(5):
        assert asyncio.run(usable(Standalone(own.url), "key"))
    until(lambda: len(own.ask("CLIENT", "LIST").splitlines()) == 1)  # who asks
