"""The link under faults: typed, in time, counted at most once, healed without a restart."""

from __future__ import annotations

import asyncio
import random
import socket
import time

import pytest

from pumpguard.errors import StoreError
from pumpguard.store.transport.calls import ErrorReply, Late, Lost, Unreachable
from tests.conftest import PATIENT
from tests.store.transport.fleet import Server
from tests.store.transport.linking import (
    DEADLINE,
    SCRIPT,
    Load,
    MakeLink,
    count,
    elsewhere,
    fault_of,
    to_run,
)
from tests.store.transport.stand_ins import fake

# The script.


async def test_the_script_is_brought_along_once(
    make_link: MakeLink, own: Server, name: str
) -> None:
    """A server that does not have it costs one more trip, for those who find out."""
    link = make_link(own.url)
    assert [await count(link, name) for _ in range(5)] == [1, 2, 3, 4, 5]
    calls = own.ask("INFO", "commandstats")
    assert calls["cmdstat_evalsha"]["calls"] == 5
    assert calls["cmdstat_eval"]["calls"] == 1


async def test_a_script_flush_under_load_costs_at_most_one_trip_more(
    make_link: MakeLink, own: Server, name: str
) -> None:
    """Every call is answered and counted exactly once, however often the script is lost."""
    link = make_link(own.url)
    load, flushes, workers = Load(link, lambda: (name,)), 10, 16
    async with load.running(workers):
        for _ in range(flushes):
            await load.more(100)
            await elsewhere(lambda: own.ask("SCRIPT", "FLUSH"))
        await load.more()
    assert set(load.outcomes) == {"answered"}
    calls = own.ask("INFO", "commandstats")
    counted = int(own.ask("GET", name))
    assert 0 <= counted - load.outcomes["answered"] <= workers  # the last ones were called off
    assert calls["cmdstat_eval"]["calls"] <= (flushes + 1) * workers
    assert calls["cmdstat_evalsha"]["calls"] <= counted + calls["cmdstat_eval"]["calls"]


async def test_a_server_that_never_keeps_the_script_gets_two_trips(make_link: MakeLink) -> None:
    """There is no third."""
    async with fake(b"-NOSCRIPT No matching script.\r\n") as server:
        fault = await fault_of(make_link(server.url))
        assert isinstance(fault, ErrorReply)
        assert server.verbs() == [b"EVALSHA", b"EVAL"]


async def test_both_trips_share_one_deadline(make_link: MakeLink) -> None:
    """The second one only has what the first has left."""

    def answer(command: list[bytes]) -> bytes:
        if command[0] == b"EVAL":
            return b""
        time.sleep(0.06)
        return b"-NOSCRIPT No matching script.\r\n"

    async with fake(answer) as server:
        link = make_link(server.url, deadline=DEADLINE)
        fault = await fault_of(link)
        assert isinstance(fault, Late)
        assert str(fault) == "not within the deadline"  # the link's, before the connection's own


# Servers that answer wrongly.

ERRORS = (
    "LOADING Redis is loading the dataset in memory",
    "BUSY Redis is busy running a script",
    "OOM command not allowed when used memory > 'maxmemory'",
    "MISCONF Errors writing to disk",
    "NOAUTH Authentication required.",
    "NOPERM this user has no permissions",
    "NOREPLICAS Not enough good replicas to write.",
    "MASTERDOWN Link with MASTER is down",
    "CLUSTERDOWN The cluster is down",
    "TRYAGAIN Multiple keys request during rehashing of slot",
    "CROSSSLOT Keys in request don't hash to the same slot",
    "READONLY You can't write against a read only replica.",
    "MOVED",
    "MOVED 1",
    "MOVED one:two:three",
    "MOVED 1 127.0.0.1:port",
    "ASK 1 nowhere",
    "ERR max number of clients reached",
    "ERR",
    "",
    "\xff\xfe",
)


@pytest.mark.parametrize("error", ERRORS)
async def test_error_replies_are_store_errors_at_once(make_link: MakeLink, error: str) -> None:
    """One call, one trip, one fault; the connection goes on serving."""
    said = f"-{error}\r\n".encode("latin-1")
    async with fake(said) as server:
        link = make_link(server.url)
        for _ in range(3):
            assert isinstance(await fault_of(link), ErrorReply)
        assert server.verbs() == [b"EVALSHA"] * 3
        server.answer = lambda _: b":7\r\n"
        assert await count(link, "k") == 7


GARBAGE = (
    b"HTTP/1.1 400 Bad Request\r\n\r\n",
    b"\x00" * 100,
    b"\r\n",
    b"?\r\n",
    b":what\r\n",
    b"$nine\r\n",
    b"*1\r\n?\r\n",
    b"*1\r\n" * 20,
    b":1\r\n:2\r\n",
    b":1\r\n-ERR unasked\r\n",
)


@pytest.mark.parametrize("garbage", GARBAGE)
async def test_garbage_never_reaches_a_second_call(make_link: MakeLink, garbage: bytes) -> None:
    """What is no reply ends the connection; the next call has a new one and a clean start."""
    async with fake(garbage) as server:
        link = make_link(server.url, deadline=0.05)
        outcomes = await asyncio.gather(
            *(count(link, "k") for _ in range(3)), return_exceptions=True
        )
        assert all(isinstance(end, StoreError) or end in (1, 2) for end in outcomes), outcomes
        assert any(isinstance(end, StoreError) for end in outcomes) or garbage.startswith(b":1")
        assert server.verbs() == [b"EVALSHA"] * len(server.heard)
        assert len(server.heard) <= 3
        [router] = link._routers.values()
        while any(each.busy for each in router._servers.values()):  # noqa: ASYNC110 - until it is given up
            await asyncio.sleep(0.01)
        server.answer = lambda _: b":7\r\n"
        assert await count(link, "k") == 7


@pytest.mark.parametrize("half", [b"", b"$5\r\nab", b"*2\r\n:1\r\n", b":1", b"-MOV", b"*"])
@pytest.mark.parametrize("ending", ["hangs up", "falls silent"])
async def test_half_a_reply(make_link: MakeLink, half: bytes, ending: str) -> None:
    """Whoever hangs up or falls silent in the middle has not answered; nothing is sent again."""
    async with fake(half) as server:
        if ending == "hangs up":
            server.hang_up_after = True
        link = make_link(server.url, deadline=DEADLINE)
        async with asyncio.timeout(PATIENT):
            fault = await fault_of(link)
        assert isinstance(fault, Lost if ending == "hangs up" else Late)
        assert server.verbs() == [b"EVALSHA"]


async def test_random_bytes_are_survived(make_link: MakeLink) -> None:
    """Two hundred servers that say anything at all: a reply or a store error, never silence."""
    dice = random.Random(11)
    pieces = [b"\r\n", b"*", b"$", b":", b"+", b"-", b"1", b"3", b"-1", b"ASK ", b"MOVED 1 ", b"x"]
    pieces += [b"-NOSCRIPT x\r\n", b"127.0.0.1:1\r\n", b":1\r\n", b"$1\r\nx\r\n", bytes([255])]
    async with fake(b"") as server:
        link = make_link(server.url, deadline=0.02, connect_deadline=0.02)
        for _ in range(200):
            said = b"".join(dice.choices(pieces, k=dice.randrange(1, 12)))
            server.answer = lambda _, said=said: said  # type: ignore[misc]
            async with asyncio.timeout(PATIENT):
                outcomes = await asyncio.gather(
                    *(link.run(to_run(SCRIPT, "k")) for _ in range(2)), return_exceptions=True
                )
            for end in outcomes:
                assert isinstance(end, StoreError) or not isinstance(end, BaseException), said


# Servers that are away.


async def test_nobody_there(make_link: MakeLink) -> None:
    """Fails at once, each call by itself, and heals when somebody comes."""
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    link = make_link(f"redis://127.0.0.1:{port}", deadline=2 * PATIENT)
    async with asyncio.timeout(PATIENT):
        for _ in range(5):
            assert isinstance(await fault_of(link), Unreachable)


async def test_a_hanging_server_under_load(make_link: MakeLink, own: Server, name: str) -> None:
    """No call waits until it goes on: each worker is late several times meanwhile. Afterwards all
    is as before."""
    link = make_link(own.url, deadline=DEADLINE)
    load = Load(link, lambda: (name,))
    async with load.running(workers=16):
        await load.more()
        with own.hanging():
            await load.more(3 * 16, "Late")
        await load.more()
    assert set(load.outcomes) <= {"answered", "Late", "Lost", "Unreachable"}
    assert int(own.ask("GET", name)) <= sum(load.outcomes.values()) + 16


async def test_a_killed_server_under_load(make_link: MakeLink, own: Server, name: str) -> None:
    """Each call in flight fails once; the restarted server is found, script and all."""
    link = make_link(own.url, deadline=1.0)
    load = Load(link, lambda: (name,))
    async with load.running():
        await load.more()
        own.kill()
        await asyncio.sleep(0.05)
        await elsewhere(own.start)
        await load.more()
    assert set(load.outcomes) <= {"answered", "Lost", "Unreachable"}
    assert load.outcomes["Lost"] <= 16
    assert load.outcomes["Unreachable"] > 0


async def test_a_reply_that_is_lost_is_not_asked_for_again(make_link: MakeLink) -> None:
    """The server has counted and hangs up: once is once."""
    async with fake(lambda _: None) as server:
        assert isinstance(await fault_of(make_link(server.url)), Lost)
        assert server.verbs() == [b"EVALSHA"]
        assert server.connections == 1
