"""What is wrong with a server is found and said, and costs no request anything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest

from pumpguard import Guard, Policy
from pumpguard.errors import StoreError
from pumpguard.store import health
from pumpguard.store.health import Checkup, Concern
from pumpguard.store.memory import MemoryStore
from pumpguard.store.redis import RedisStore
from pumpguard.store.transport.topology import topology_of
from tests.conftest import PATIENT, SERVERS
from tests.store.asking import ask, question, window
from tests.store.transport.fleet import Server, free_ports
from tests.store.transport.stand_ins import fake

LEAST = ("+eval", "+evalsha", "+time", "+get", "+mget", "+set")
"""The commands that a user of ours has to be allowed."""


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """Each server at hand in turn, to be misconfigured."""
    with Server(program=SERVERS[request.param]) as started:
        yield started


@pytest.fixture
def valkey() -> Iterator[Server]:
    """One that will do where servers do not differ."""
    with Server() as started:
        yield started


async def concerns(url: str) -> list[tuple[str, str]]:
    store = RedisStore(url)
    return [(concern.code, concern.what) for concern in await store.check()]


def as_guard(server: Server, *rights: str) -> str:
    """Log in as a user with these rights."""
    server.ask("ACL", "SETUSER", "guard", "reset", "on", ">right", *rights)
    return f"redis://guard:right@{server.seed}"


# What is found.


async def test_a_server_as_it_should_be(server: Server) -> None:
    """Nothing to say, and nothing left behind."""
    assert await concerns(server.url) == []
    assert server.ask("DBSIZE") == 0


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl"])
async def test_a_server_that_evicts(server: Server, policy: str) -> None:
    """With the reason: too much is admitted."""
    server.ask("CONFIG", "SET", "maxmemory-policy", policy)
    [(code, what)] = await concerns(server.url)
    assert code == "PG012"
    assert policy in what
    assert "too much is admitted" in what


@pytest.mark.parametrize("missing", ["eval", "evalsha", "time", "mget", "set"])
async def test_a_command_that_is_not_allowed(server: Server, missing: str) -> None:
    """It is named, and is really needed."""
    url = as_guard(server, "~pg1:*", "+@all", f"-{missing}")
    found = await concerns(url)
    assert [(code, what.partition(":")[0]) for code, what in found] == [("PG013", missing.upper())]
    store = RedisStore(url, deadline=PATIENT)
    with pytest.raises(StoreError):
        await store.decide(replace(question(window(1)), at=None))
    await store.aclose()


async def test_the_least_rights_are_enough(server: Server) -> None:
    """Decisions are made; whether the server evicts cannot be seen without INFO."""
    url = as_guard(server, "~pg1:*", *LEAST)
    assert [code for code, _ in await concerns(url)] == ["PG018"]
    store = RedisStore(url, deadline=PATIENT)
    assert (await ask(store, window(1))).admitted
    await store.aclose()
    assert await concerns(as_guard(server, "~pg1:*", *LEAST, "+info")) == []


async def test_keys_that_are_not_allowed(server: Server) -> None:
    """All commands that touch a key are refused, in one concern."""
    [(code, what)] = await concerns(as_guard(server, "~other:*", "+@all"))
    assert code == "PG013"
    assert what.startswith("EVAL, EVALSHA, GET, MGET, SET: NOPERM")


@pytest.mark.parametrize("login", ["guard:wrong@", ":wrong@", ""])
async def test_a_wrong_password(valkey: Server, login: str) -> None:
    """One concern, without the password."""
    valkey.ask("ACL", "SETUSER", "guard", "on", ">right", "~*", "+@all")
    valkey.ask("ACL", "SETUSER", "default", "off")
    [(code, what)] = await concerns(f"redis://{login}{valkey.seed}")
    assert code == "PG014"
    assert "wrong" not in what


async def test_a_replica(valkey: Server) -> None:
    """It cannot count."""
    valkey.ask("REPLICAOF", "127.0.0.1", "1")
    [(code, what)] = await concerns(valkey.url)
    assert code == "PG016"
    assert what.startswith("SET: READONLY")


@pytest.mark.parametrize(
    ("version", "codes"), [("5.0.14", ["PG015"]), ("6.0.0", []), ("7.2.4", []), ("10.0", [])]
)
async def test_a_server_that_is_too_old(version: str, codes: list[str]) -> None:
    """Its age is its own word for it."""
    said = f"# Server\r\nredis_version:{version}\r\n".encode()
    info = b"$%d\r\n%b\r\n" % (len(said), said)
    async with fake(lambda command: info if command[0] == b"INFO" else b"+OK\r\n") as old:
        assert [code for code, _ in await concerns(old.url)] == codes


async def test_nobody_there() -> None:
    """A concern like the others: nothing is raised. It names the address once, and what to do."""
    [port] = free_ports(1)
    for scheme in ("redis", "redis+cluster"):
        [concern] = await RedisStore(f"{scheme}://127.0.0.1:{port}").check()
        assert concern.code == "PG017"
        assert str(concern).count(f"127.0.0.1:{port}") == 1
        assert "start the server, or correct store=" in str(concern)


async def test_a_cluster_is_looked_at_where_our_keys_are(cluster_url: str, name: str) -> None:
    """Every shard's owner once."""
    store = RedisStore(cluster_url, name=name, shards=8)
    assert await store.check() == ()
    await store.aclose()


# The guard.


@pytest.fixture
async def guard(valkey: Server, name: str) -> AsyncIterator[Guard]:
    async with Guard(Policy(send="/otp/send", name=name, deadline=PATIENT), valkey.url) as made:
        yield made


async def decide(guard: Guard) -> bool:
    """Whether the store had a part in it."""
    decision = await guard.assess(guard.attempt("+447400123456", "86.0.0.1"))
    return not decision.degraded


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The codes of what was logged about the server."""
    records = [record for record in caplog.records if record.name == "pumpguard.store"]
    return [record.getMessage()[:5] for record in records]


async def logged(caplog: pytest.LogCaptureFixture, *codes: str) -> None:
    async with asyncio.timeout(PATIENT):
        while said(caplog) != list(codes):  # noqa: ASYNC110 - a log has no event
            await asyncio.sleep(0.01)


async def test_a_guard_can_be_asked(valkey: Server, guard: Guard) -> None:
    """Through everything that stands in front of the store; and memory has no server."""
    assert await guard.check() == ()
    valkey.ask("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    [concern] = await guard.check()
    assert isinstance(concern, Concern)
    assert str(concern).startswith(f"PG012 {valkey.seed}: maxmemory-policy")
    assert await Guard(guard.policy, MemoryStore()).check() == ()


async def test_what_is_found_is_logged_once(
    valkey: Server, guard: Guard, caplog: pytest.LogCaptureFixture
) -> None:
    """After the first decision; not after the second, nor after a reconnection."""
    valkey.ask("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    assert await decide(guard)
    await logged(caplog, "PG012")
    await guard.aclose()
    assert await decide(guard)
    await asyncio.sleep(0.05)
    assert said(caplog) == ["PG012"]


async def test_nothing_is_opened_before_it_is_needed(valkey: Server, guard: Guard) -> None:
    """Neither to make a guard nor to close it again: the one connection is the test's question."""
    before = valkey.opened()
    Guard(guard.policy, valkey.url)
    await guard.aclose()
    assert valkey.opened() - before == 1


async def test_a_server_that_comes_late_is_looked_at_late(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its absence is said once and keeps nobody waiting."""
    monkeypatch.setattr(health, "FIRST_PAUSE", 0.02)
    monkeypatch.setattr(health, "LONGEST_PAUSE", 0.02)
    with Server("--maxmemory-policy", "allkeys-lru") as server:
        server.kill()
        async with Guard(Policy(send="/otp/send"), server.url) as guard:
            assert not await decide(guard)
            await logged(caplog, "PG017")
            await asyncio.sleep(0.1)
            server.start()
            await logged(caplog, "PG017", "PG012")


async def test_a_check_that_hangs_keeps_no_decision_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It has a connection of its own; closing the guard ends it at once."""
    monkeypatch.setattr(health, "PATIENCE", 2 * PATIENT)
    answers = {b"EVALSHA": b"*2\r\n:1\r\n:0\r\n", b"FUNCTION": b"-ERR no such command\r\n"}
    async with fake(lambda command: answers.get(command[0], b"")) as server:
        async with asyncio.timeout(PATIENT):
            async with Guard(Policy(send="/otp/send", deadline=PATIENT), server.url) as guard:
                assert [await decide(guard) for _ in range(20)] == [True] * 20
        assert server.connections == 2


def test_a_check_whose_event_loop_is_closed_is_begun_again(valkey: Server) -> None:
    """As by servers that have a loop for each request, and close it without cancelling anything."""
    begun = list[asyncio.AbstractEventLoop]()

    class Slow(Checkup):
        async def _check(self) -> None:
            begun.append(asyncio.get_running_loop())
            await asyncio.Event().wait()

    async def request() -> None:
        for _ in range(2):
            checkup.begin()
            await asyncio.sleep(0)

    checkup = Slow(topology_of(valkey.url), ())
    loops = [asyncio.new_event_loop() for _ in range(2)]
    for loop in loops:
        loop.run_until_complete(request())
        loop.close()
    assert begun == loops


async def test_guards_of_one_name_that_are_set_differently_are_said(
    valkey: Server, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Another secret, or other routes; the same ones are not."""
    settings = [("/otp/send", ""), ("/otp/send", ""), ("/otp/send", "t" * 16), ("/s", "t" * 16)]
    mark, left = f"pg1:{{{name}}}:guards", None
    for (send, secret), codes in zip(settings, (0, 0, 1, 2), strict=True):
        policy = Policy(send=send, secret=secret, name=name, deadline=PATIENT)
        async with Guard(policy, valkey.url) as guard:
            assert await decide(guard)
            await logged(caplog, *["PG008"] * codes)
            async with asyncio.timeout(PATIENT):
                while valkey.ask("GET", mark) in ((left,) if left and codes else (None,)):  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            left = valkey.ask("GET", mark)
