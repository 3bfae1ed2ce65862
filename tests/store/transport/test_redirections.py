"""The link on the way to the right server: redirections, searches, event loops."""

from __future__ import annotations

import asyncio
import threading
import time

from pumpguard.store.transport.calls import ErrorReply, Unreachable
from pumpguard.store.transport.endpoint import Endpoint
from pumpguard.store.transport.link import Link
from tests.conftest import PATIENT
from tests.store.transport.calling import TICK
from tests.store.transport.fleet import Server
from tests.store.transport.linking import DEADLINE, MakeLink, Somewhere, at, count, fault_of
from tests.store.transport.stand_ins import fake

# Redirections.


async def test_moved_is_followed_once_and_remembered(make_link: MakeLink) -> None:
    """With the script's body, because the new owner may not have it; later calls go there."""
    async with fake(b":5\r\n") as owner, fake(b"") as former:
        moved = b"-MOVED 1 127.0.0.1:%d\r\n" % owner.port
        former.answer = lambda _: moved
        link = make_link(former.url)
        assert [await count(link, "k") for _ in range(3)] == [5, 5, 5]
        assert former.verbs() == [b"EVALSHA"]
        assert owner.verbs() == [b"EVAL", b"EVALSHA", b"EVALSHA"]


async def test_servers_that_point_at_each_other_get_two_trips_per_call(make_link: MakeLink) -> None:
    """No call goes round in circles."""
    async with fake(b"") as one, fake(b"") as other:
        for here, there in ((one, other), (other, one)):
            said = b"-MOVED 1 127.0.0.1:%d\r\n" % there.port
            here.answer = lambda _, said=said: said  # type: ignore[misc]
        link = make_link(one.url)
        for calls in range(1, 5):
            await fault_of(link)
            assert len(one.heard) + len(other.heard) == 2 * calls


async def test_servers_left_behind_are_forgotten(make_link: MakeLink, valkey: Server) -> None:
    """Addresses come and go with every failover; a long-lived process keeps none but the last."""
    places = [Endpoint("127.0.0.1", 1, db=i) for i in range(10)]
    where = Somewhere(*places, at(valkey))
    link = make_link(where)
    for _ in places:
        await fault_of(link)
    await count(link, "k")
    [router] = link._routers.values()
    assert len(router._servers) == 1


async def test_moved_without_a_host_means_the_same_host(make_link: MakeLink) -> None:
    """A node that does not know its own address says so."""
    async with fake(b":5\r\n") as owner, fake(b"-MOVED 1 :%d\r\n" % owner.port) as former:
        assert await count(make_link(former.url), "k") == 5


async def test_moved_to_where_nobody_is(make_link: MakeLink) -> None:
    """A store error; the next call searches again."""
    async with fake(b"-MOVED 1 127.0.0.1:1\r\n") as former:
        where = Somewhere(at(former))
        link = make_link(where)
        for searches in (1, 2, 3):
            assert isinstance(await fault_of(link), Unreachable)
            assert where.searches == searches


async def test_ask_goes_right_behind_asking(make_link: MakeLink) -> None:
    """Whatever else is sent on that connection at the same time; and nothing is remembered."""
    async with fake(b":5\r\n") as importing, fake(b"") as owner:
        asked = b"-ASK 1 127.0.0.1:%d\r\n" % importing.port
        owner.answer = lambda _: asked
        link = make_link(owner.url)
        assert await asyncio.gather(*(count(link, "k") for _ in range(20))) == [5] * 20
        assert importing.verbs() == [b"ASKING", b"EVAL"] * 20
        assert owner.verbs() == [b"EVALSHA"] * 20
        await count(link, "k")
        assert len(owner.heard) == 21


async def test_a_replica_is_left_for_the_master(
    make_link: MakeLink, own: Server, name: str
) -> None:
    """READONLY is an error for this call and a search for the next."""
    with Server("--replicaof", "127.0.0.1", str(own.port)) as replica:
        where = Somewhere(at(replica), at(own))
        link = make_link(where)
        fault = await fault_of(link, name)
        assert type(fault.reply).__name__ == "ReadOnlyError"  # type: ignore[attr-defined]
        assert await count(link, name) == 1
        assert where.searches == 2


async def test_a_name_may_mean_another_server_after_a_failover(
    make_link: MakeLink, own: Server
) -> None:
    """After READONLY even the same address gets a new connection, so that it is resolved anew."""
    link = make_link(own.url)
    await count(link, "n")
    own.ask("REPLICAOF", "127.0.0.1", "1")
    before = own.opened()
    for _ in range(3):
        assert isinstance(await fault_of(link, "n"), ErrorReply)
    assert own.opened() - before == 2 + 1  # the last one asks
    own.ask("REPLICAOF", "NO", "ONE")
    assert await count(link, "n") == 2


async def test_an_idle_connection_that_ends_means_a_search(
    make_link: MakeLink, own: Server
) -> None:
    """At a failover nobody may be calling; the next caller does not knock at the old door."""
    async with fake(b":5\r\n") as new_master:
        where = Somewhere(at(own), at(new_master))
        link = make_link(where)
        await count(link, "n")
        own.ask("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        [router] = link._routers.values()
        while router.current is not None:  # noqa: ASYNC110 - what is waited for happens on the wire
            await asyncio.sleep(0.001)
        assert await count(link, "n") == 5
        assert where.searches == 2


# Searches.


async def test_one_search_for_all_who_wait(make_link: MakeLink, valkey: Server, name: str) -> None:
    """And it goes on when the one who began it has gone."""
    where = Somewhere(at(valkey))
    where.gate = asyncio.Event()
    link = make_link(where)
    first, *others = [asyncio.create_task(count(link, name)) for _ in range(64)]
    await asyncio.sleep(0.01)
    first.cancel()
    await asyncio.sleep(0.01)
    where.gate.set()
    assert sorted(await asyncio.gather(*others)) == list(range(1, 64))
    assert where.searches == 1


async def test_a_search_that_takes_too_long_helps_the_next_call(
    make_link: MakeLink, valkey: Server, name: str
) -> None:
    """The call fails in time, the search goes on."""
    where = Somewhere(at(valkey))
    where.gate = asyncio.Event()
    link = make_link(where, deadline=DEADLINE)
    start = time.monotonic()
    async with asyncio.timeout(PATIENT):
        assert isinstance(await fault_of(link, name), Unreachable)
    assert time.monotonic() - start >= DEADLINE - TICK
    where.gate.set()
    assert await count(link, name) == 1
    assert where.searches == 1


async def test_a_search_that_fails_is_begun_anew_by_the_next_call(
    make_link: MakeLink, valkey: Server, name: str
) -> None:
    """All who waited get the fault, each its own."""
    where = Somewhere(Unreachable("nobody knows"), at(valkey))
    link = make_link(where)
    faults = await asyncio.gather(*(count(link, name) for _ in range(5)), return_exceptions=True)
    assert {str(fault) for fault in faults} == {"nobody knows"}
    assert len({id(fault) for fault in faults}) == 5
    assert await count(link, name) == 1


async def test_closing_ends_searches_too(make_link: MakeLink, valkey: Server, name: str) -> None:
    """Who waits gets a store error and no cancellation; the link may be used again."""
    where = Somewhere(at(valkey))
    where.gate = asyncio.Event()
    link = make_link(where)
    waiting = asyncio.create_task(fault_of(link, name))
    await asyncio.sleep(0.01)
    await link.aclose()
    assert isinstance(await waiting, Unreachable)
    where.gate.set()
    assert await count(link, name) == 1


# Event loops.


def test_a_link_serves_several_event_loops(valkey: Server, name: str) -> None:
    """One after the other and at the same time; loops that ended are let go."""
    link = Link(valkey.url, deadline=PATIENT)

    async def use() -> None:
        for _ in range(50):
            await count(link, name)
        await link.aclose()

    for _ in range(2):
        asyncio.run(use())
    threads = [threading.Thread(target=asyncio.run, args=(use(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert int(valkey.ask("GET", name)) == 6 * 50
    assert not link._routers


def test_a_loop_that_ended_without_closing_is_let_go(name: str) -> None:
    """What nobody closed does not pile up."""
    link = Link("redis://127.0.0.1:1", deadline=PATIENT)

    async def use() -> None:
        await fault_of(link, name)

    for _ in range(3):
        asyncio.run(use())
    assert len(link._routers) <= 1
