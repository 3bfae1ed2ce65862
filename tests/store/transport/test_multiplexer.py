"""The multiplexer: replies to the right callers, few writes, one deadline."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any

import pytest

from pumpguard.store.transport.calls import ErrorReply, Late, Overloaded
from tests.conftest import PATIENT
from tests.store.transport.calling import (
    TICK,
    MakeLine,
    call,
    counted,
    fault,
    in_flight,
    outcomes,
    reads_of,
)
from tests.store.transport.fleet import Server
from tests.store.transport.stand_ins import firewall, listening

# Replies.


async def test_replies_reach_their_callers_with_64_in_flight(
    make_line: MakeLine, valkey: Server
) -> None:
    """Whatever the sizes, and however many share the connection."""
    line = make_line(valkey.url)

    async def worker(number: int) -> None:
        for turn in range(30):
            word = f"{number}-{turn}-".encode() * (1 + number * turn % 40)
            assert await call(line, "ECHO", word) == word

    before = valkey.opened()
    await asyncio.gather(*(worker(number) for number in range(64)))
    assert valkey.opened() - before == 1 + 1  # the second one asks


async def test_every_kind_of_reply_and_word(make_line: MakeLine, valkey: Server, name: str) -> None:
    """Bytes, text, whole and broken numbers out; strings, numbers, nothing and lists in."""
    line = make_line(valkey.url)
    assert await call(line, "SET", name, b"\r\n\x00", "PX", 60_000) == b"OK"
    assert await call(line, "GET", name) == b"\r\n\x00"
    assert await call(line, "GET", name + "-not") is None
    assert await call(line, "EVAL", "return {1, {'a', false}, {}, ARGV[1]}", 0, 2.5) == [
        1,
        [b"a", None],
        [],
        b"2.5",
    ]


async def test_an_error_reply_is_typed_and_disturbs_nobody(
    make_line: MakeLine, valkey: Server
) -> None:
    """The caller gets redis-py's exception; its neighbours get their replies."""
    line = make_line(valkey.url)
    first, wrong, last = await outcomes(
        call(line, "ECHO", "a"), call(line, "EVALSHA", "f" * 40, 0), call(line, "ECHO", "b")
    )
    assert (first, last) == (b"a", b"b")
    assert isinstance(wrong, ErrorReply)
    assert type(wrong.reply).__name__ == "NoScriptError"


async def test_a_word_that_cannot_be_sent_disturbs_nobody(
    make_line: MakeLine, valkey: Server
) -> None:
    """A mistake in the caller's code stays there."""
    line = make_line(valkey.url)
    nonsense: Any = object()
    first, wrong, last = await outcomes(
        call(line, "ECHO", "a"), call(line, "ECHO", nonsense), call(line, "ECHO", "b")
    )
    assert (first, last) == (b"a", b"b")
    assert isinstance(wrong, TypeError)


# Writes.


@pytest.mark.parametrize(("calls", "writes"), [(1, 1), (7, 1), (8, 1), (20, 3), (64, 8)])
async def test_calls_of_a_tick_share_writes(
    make_line: MakeLine, valkey: Server, calls: int, writes: int
) -> None:
    """One write per tick, and one per eight calls when there are more."""
    endpoint = counted(valkey.url)
    line = make_line(endpoint)
    await call(line, "PING")
    reads = await reads_of(line)
    endpoint.sizes.clear()
    await asyncio.gather(*(call(line, "PING") for _ in range(calls)))
    assert len(endpoint.sizes) == writes
    assert await reads_of(line) - reads <= writes + 1  # that one asks


async def test_more_than_the_kernel_takes_is_kept_and_sent_later(
    make_line: MakeLine, valkey: Server
) -> None:
    """Forty megabytes at once: each word comes back whole, and others get their turn."""
    line = make_line(valkey.url)
    words = [bytes([65 + i]) * 2_000_000 for i in range(20)]
    echoes = asyncio.gather(*(call(line, "ECHO", word) for word in words))
    assert await call(line, "ECHO", "small") == b"small"
    assert await echoes == words


# Callers who go.


async def test_ten_thousand_cancelled_calls_open_no_connection(
    make_line: MakeLine, valkey: Server
) -> None:
    """Before, while and after they are sent: replies are dropped in order and never cross."""
    line = make_line(valkey.url)
    await call(line, "PING")
    before = valkey.opened()
    dice = random.Random(7)
    for round_ in range(20):
        doomed = [asyncio.create_task(call(line, "ECHO", f"x{i}")) for i in range(500)]
        kept = [asyncio.create_task(call(line, "ECHO", f"{round_}-{i}")) for i in range(5)]
        for _ in range(dice.randrange(3)):
            await asyncio.sleep(0)
        for task in doomed:
            task.cancel()
        assert await asyncio.gather(*kept) == [f"{round_}-{i}".encode() for i in range(5)]
    assert valkey.opened() - before == 1


async def test_cancelled_calls_still_count_as_in_flight(make_line: MakeLine, own: Server) -> None:
    """Clients that hang up cannot grow the queue of a server that hangs."""
    line = make_line(own.url, max_in_flight=50)
    await call(line, "PING")
    with own.hanging():
        for task in await in_flight(line, "PING", times=50):
            task.cancel()
        with pytest.raises(Overloaded):
            await call(line, "PING")


# Deadlines.


async def test_the_deadline_ends_a_call_to_a_hanging_server(
    make_line: MakeLine, own: Server
) -> None:
    """Each call fails in its own time; when the server is back, replies that nobody waits for any
    more are dropped, and later ones reach their callers."""
    line = make_line(own.url, deadline=0.1)
    await call(line, "SET", "n", 0)
    before = own.opened()

    async def increase() -> float:
        """How many seconds it waited for nothing."""
        start = time.monotonic()
        assert isinstance(await fault(call(line, "INCR", "n")), Late)
        return time.monotonic() - start

    with own.hanging():
        async with asyncio.timeout(PATIENT):
            late = asyncio.create_task(increase())
            await asyncio.sleep(0.03)
            assert min(await asyncio.gather(late, increase())) >= 0.1 - TICK
    assert await call(line, "PING") == b"PONG"
    assert int(await call(line, "GET", "n")) == 2
    assert own.opened() - before == 2  # who asks here, and the second connection


async def test_a_connection_that_a_firewall_has_forgotten_costs_one_deadline(
    make_line: MakeLine, own: Server
) -> None:
    """What is sent on it goes nowhere, and nobody says so. A second one is answered and used from
    then on; what was lost is not sent again."""
    async with firewall(own.socket) as way:
        line = make_line(f"redis://127.0.0.1:{way.port}", deadline=0.1)
        assert await call(line, "INCR", "n") == 1
        first = line._live
        way.forget()
        assert isinstance(await fault(call(line, "INCR", "n")), Late)
        while line._live is first:  # noqa: ASYNC110 - what is waited for happens on the wire
            await asyncio.sleep(0.001)
        assert await call(line, "GET", "n") == b"1"
        assert way.connections == 2


async def test_a_connection_that_is_answered_first_is_kept(make_line: MakeLine) -> None:
    """A server may be slow, and slower to let anybody in. Calls that are late meanwhile open no
    third connection."""
    let_in = asyncio.Event()
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        if connections > 1:
            await let_in.wait()
        while data := await reader.read(65_536):
            if b"SLOW" in data:
                await slow.wait()
            writer.write(b"+OK\r\n" * data.count(b"*1\r\n"))

    slow = asyncio.Event()
    async with listening(serve) as port:
        line = make_line(f"redis://127.0.0.1:{port}", deadline=0.02, connect_deadline=PATIENT)
        assert await call(line, "PING") == b"OK"
        first = line._live
        for _ in range(3):
            assert isinstance(await fault(call(line, "SLOW")), Late)
        while connections < 2:  # noqa: ASYNC110 - what is waited for happens on the wire
            await asyncio.sleep(0.001)
        slow.set()
        while first is not None and first.in_flight:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        let_in.set()
        while line._second is not None:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        assert line._live is first
        assert connections == 2


async def test_a_server_that_hangs_for_long_is_given_up(make_line: MakeLine, own: Server) -> None:
    """It may be a connection that is dead at the other end: the next call opens a new one."""
    line = make_line(own.url, deadline=0.1)
    await call(line, "PING")
    first = line._live
    with own.hanging():
        assert isinstance(await fault(call(line, "PING")), Late)
        while line.busy:  # noqa: ASYNC110 - what is waited for happens on the connection's timer
            await asyncio.sleep(0.001)
    assert await call(line, "PING") == b"PONG"
    assert line._live is not first


async def test_a_long_queue_is_no_late_server(make_line: MakeLine, own: Server) -> None:
    """A burst takes the server several deadlines, and it answers all the time: nobody is failed."""
    # So long that a server, which answers after each reading of 16 kB, answers after each.
    busy = "local n = 0 for i = 1, 1000000 do n = n + i end return 1".ljust(20_000)
    start = time.monotonic()
    await call(make_line(own.url), "EVAL", busy, 0)
    one = time.monotonic() - start
    line = make_line(own.url, deadline=max(0.5, 20 * one))
    often = int(1.5 * max(0.5, 20 * one) / one)
    assert set(await asyncio.gather(*(call(line, "EVAL", busy, 0) for _ in range(often)))) == {1}


async def test_a_blocked_event_loop_does_not_blame_the_server(
    make_line: MakeLine, valkey: Server
) -> None:
    """Replies that came while this process was busy are read before anybody is judged."""
    line = make_line(valkey.url, deadline=0.2)
    await call(line, "PING")
    before = valkey.opened()
    calls = asyncio.gather(*(call(line, "ECHO", i) for i in range(8)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    time.sleep(0.5)  # noqa: ASYNC251 - this is the fault
    assert await calls == [b"%d" % i for i in range(8)]
    assert valkey.opened() - before == 1


async def test_an_idle_connection_has_no_timer(make_line: MakeLine, valkey: Server) -> None:
    """Long after its deadline it still stands."""
    line = make_line(valkey.url, deadline=0.2)
    before = valkey.opened()
    await call(line, "PING")
    await asyncio.sleep(0.3)
    assert line._live is not None
    assert line._live._timer is None
    assert await call(line, "PING") == b"PONG"
    assert valkey.opened() - before == 2


async def test_the_queue_is_bounded(make_line: MakeLine, own: Server) -> None:
    """What is too much fails while the others wait, and room is made by replies."""
    line = make_line(own.url, max_in_flight=100)
    await call(line, "PING")
    with own.hanging():
        waiting = await in_flight(line, "PING", times=100)
        faults = await outcomes(*(call(line, "PING") for _ in range(50)))
        assert {type(fault) for fault in faults} == {Overloaded}
        assert not any(task.done() for task in waiting)
    assert await asyncio.gather(*waiting) == [b"PONG"] * 100
    assert await call(line, "PING") == b"PONG"
