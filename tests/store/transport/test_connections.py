"""Connections: how they come about, how they end, and who gets in."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
import time
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import AuthenticationError, NoPermissionError, ResponseError

from pumpguard.errors import StoreError
from pumpguard.store.transport.calls import ErrorReply, Late, Lost, Overloaded, Unreachable
from pumpguard.store.transport.connection import Connection
from pumpguard.store.transport.endpoint import Deadlines, Endpoint
from tests.conftest import PATIENT
from tests.store.transport.calling import TICK, MakeLine, call, closed, in_flight, outcomes
from tests.store.transport.fleet import Server
from tests.store.transport.linking import MakeLink, to_run
from tests.store.transport.stand_ins import fake, forwarding, throwaway_certificate

# Connections that break.


async def test_a_killed_server_fails_each_call_once(make_line: MakeLine, own: Server) -> None:
    """Nothing is sent again; the next call after the restart connects."""
    line = make_line(own.url)
    await call(line, "PING")
    own.signal(signal.SIGSTOP)  # so that all are in flight when it dies
    waiting = await in_flight(line, "INCR", "n", times=30)
    own.kill()
    assert {type(fault) for fault in await outcomes(*waiting)} == {Lost}
    with pytest.raises(Unreachable):
        await call(line, "PING")
    own.start()
    assert await call(line, "GET", "n") is None


async def test_a_connection_closed_while_idle_is_replaced(make_line: MakeLine, own: Server) -> None:
    """Server timeouts and CLIENT KILL cost nobody a call."""
    line = make_line(own.url)
    await call(line, "PING")
    own.ask("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    while line.busy:  # noqa: ASYNC110 - what is waited for happens in the transport
        await asyncio.sleep(0)
    assert await call(line, "PING") == b"PONG"


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # its socket ends with its loop
def test_nothing_of_a_closed_event_loop_is_waited_for(own: Server) -> None:
    """Of servers with a loop for each request: what was under way there cannot be told any more,
    and whoever asked is gone."""

    async def begin() -> Connection:
        connection = Connection(Endpoint.of(own.url), Deadlines(PATIENT), lambda _: None)
        await connection.ask(("PING",))
        connection.ask(("PING",)).add_done_callback(told.append)
        return connection

    told = list[object]()
    loop = asyncio.new_event_loop()
    connection = loop.run_until_complete(begin())
    loop.close()
    asyncio.run(connection.aclose())
    assert not told
    del connection, loop
    gc.collect()


async def test_a_closed_multiplexer_fails_its_calls_and_may_be_used_again(
    make_line: MakeLine, own: Server
) -> None:
    """Closing leaves nobody waiting."""
    line = make_line(own.url)
    await call(line, "PING")
    with own.hanging():
        waiting = await in_flight(line, "PING", times=3)
        await closed(line)
        assert {type(fault) for fault in await outcomes(*waiting)} == {Lost}
    assert await call(line, "PING") == b"PONG"


async def test_closing_is_done_even_if_whoever_closes_is_cancelled(
    make_line: MakeLine, make_link: MakeLink, own: Server
) -> None:
    """Nobody else would: the calls fail, and the sockets do not wait for the garbage collector."""
    line, link = make_line(own.url), make_link(own.url)
    await call(line, "PING")
    assert await link.run(to_run("return 1", "key")) == 1
    with own.hanging():
        waiting = await in_flight(line, "PING", times=3)
        for closing in (closed(line), link.aclose()):
            task = asyncio.create_task(closing)
            await asyncio.sleep(0)
            task.cancel()
        assert {type(fault) for fault in await outcomes(*waiting)} == {Lost}
        await asyncio.sleep(0)
    assert len(own.ask("CLIENT", "LIST").splitlines()) == 1  # who asks


async def test_renewed_connections_finish_what_they_carry(make_line: MakeLine, own: Server) -> None:
    """Calls in flight get their replies where they are; the next one goes a new way."""
    line = make_line(own.url)
    await call(line, "PING")
    before = own.opened()
    with own.hanging():
        waiting = await in_flight(line, "PING", times=3)
        line.renew()
        after = await in_flight(line, "PING")
    assert await asyncio.gather(*waiting, *after) == [b"PONG"] * 4
    assert own.opened() - before == 2
    assert not line._leaving


async def test_one_connection_for_all_calls(make_line: MakeLine, own: Server) -> None:
    """Under load, too, there is never one more."""
    line = make_line(own.url)
    before = own.opened()
    for _ in range(10):
        await asyncio.gather(*(call(line, "PING") for _ in range(40)))
    assert own.opened() - before == 1 + 1  # the second one asks


# Connections that do not come about.


async def test_nobody_there_is_an_error_at_once(make_line: MakeLine) -> None:
    """A refused connection fails all who wait for it, in one attempt."""
    line = make_line("redis://127.0.0.1:1", deadline=2 * PATIENT)
    async with asyncio.timeout(PATIENT):
        faults = await outcomes(*(call(line, "PING") for _ in range(10)))
    assert {type(fault) for fault in faults} == {Unreachable}


async def test_a_connection_that_hangs_fails_each_call_in_its_own_time(make_line: MakeLine) -> None:
    """A full backlog, as behind a firewall that drops: no answer at all to the first packet."""
    with socket.socket() as deaf, socket.socket() as filler:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        filler.connect(deaf.getsockname())
        line = make_line(f"redis://127.0.0.1:{deaf.getsockname()[1]}", deadline=0.08)
        for _ in range(2):
            start = time.monotonic()
            async with asyncio.timeout(PATIENT):
                faults = await outcomes(*(call(line, "PING") for _ in range(10)))
            assert time.monotonic() - start >= 0.08 - TICK
            assert {type(fault) for fault in faults} == {Unreachable}
        assert line._live is not None


async def test_calls_that_waited_too_long_to_be_sent_are_never_sent(make_line: MakeLine) -> None:
    """A slow greeting outlives its first callers and serves the next; the cancelled go unsent."""
    gate: list[bytes] = [b""]
    async with fake(lambda command: gate[0] if command[0] == b"AUTH" else b"+OK\r\n") as server:
        line = make_line(
            server.url.replace("//", "//:secret@"), deadline=0.05, connect_deadline=PATIENT
        )
        early = await outcomes(*(call(line, "INCR", "early") for _ in range(3)))
        assert {type(fault) for fault in early} == {Unreachable}
        cancelled, *kept = (asyncio.create_task(call(line, "INCR", w)) for w in ("gone", "a", "b"))
        await asyncio.sleep(0)
        cancelled.cancel()
        assert line._live is not None
        line._live.data_received(b"+OK\r\n")
        assert await asyncio.gather(*kept) == [b"OK", b"OK"]
        assert server.heard == [[b"AUTH", b"secret"], [b"INCR", b"a"], [b"INCR", b"b"]]
        assert server.connections == 1


# Getting in.


async def test_users_passwords_and_databases(make_line: MakeLine, own: Server) -> None:
    """One greeting, then the calls: as the user, in the database that the URL names."""
    own.ask("ACL", "SETUSER", "guard", "on", ">s3:cr@et", "~pg*", "+@all")
    line = make_line(f"redis://guard:s3%3Acr%40et@127.0.0.1:{own.port}/5")
    await asyncio.gather(*(call(line, "SET", f"pg{i}", i) for i in range(20)))
    assert await call(line, "ACL", "WHOAMI") == b"guard"
    assert own.ask("INFO", "keyspace")["db5"]["keys"] == 20
    with pytest.raises(ErrorReply) as caught:
        await call(line, "GET", "other")
    assert isinstance(caught.value.reply, NoPermissionError)


@pytest.mark.parametrize("login", ["guard:wrong@", ":wrong@", ""])
async def test_a_wrong_password_is_a_typed_error_without_the_password(
    make_line: MakeLine, own: Server, login: str
) -> None:
    """For every call that waited; and nothing is counted under another name."""
    own.ask("ACL", "SETUSER", "guard", "on", ">right", "~*", "+@all")
    own.ask("ACL", "SETUSER", "default", "off")
    line = make_line(f"redis://{login}127.0.0.1:{own.port}/3")
    for fault in await outcomes(*(call(line, "PING") for _ in range(3))):
        assert isinstance(fault, ErrorReply)
        assert isinstance(fault.reply, AuthenticationError)
        assert "wrong" not in f"{fault}{fault.reply}"
    with Redis(port=own.port, username="guard", password="right") as inside:
        assert "cmdstat_ping" not in inside.info("commandstats")


async def test_a_database_that_does_not_exist_is_an_error(
    make_line: MakeLine, valkey: Server
) -> None:
    """Calls are not sent to another one instead."""
    with pytest.raises(ErrorReply, match="out of range") as caught:
        await call(make_line(f"{valkey.url}/99"), "PING")
    assert isinstance(caught.value.reply, ResponseError)


async def test_unix_sockets(make_line: MakeLine, valkey: Server) -> None:
    """The same without a port."""
    assert await call(make_line(f"unix://{valkey.socket}?db=2"), "ECHO", "x") == b"x"


async def test_tls_with_a_certificate_that_is_checked(
    make_line: MakeLine, valkey: Server, tmp_path: Path
) -> None:
    """Trusted, it works; from a stranger, or for another name, nothing is sent."""
    certificate, context = throwaway_certificate(tmp_path)
    async with forwarding(valkey.socket, ssl=context) as port:
        trusted = f"?ssl_ca_certs={certificate}"
        line = make_line(f"rediss://localhost:{port}{trusted}")
        words = [bytes([65 + i]) * 5_000 for i in range(64)]
        assert await asyncio.gather(*(call(line, "ECHO", word) for word in words)) == words
        assert [await call(line, "ECHO", i) for i in range(50)] == [b"%d" % i for i in range(50)]
        for strange in (f"rediss://localhost:{port}", f"rediss://127.0.0.1:{port}{trusted}"):
            with pytest.raises(Unreachable, match="CERTIFICATE_VERIFY"):
                await call(make_line(strange), "PING")
        await closed(line)


async def test_every_fault_is_a_store_error() -> None:
    """Whoever catches `StoreError` has caught them all."""
    assert all(issubclass(kind, StoreError) for kind in (ErrorReply, Late, Lost, Overloaded))
