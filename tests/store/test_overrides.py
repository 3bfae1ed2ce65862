"""Where orders are kept: one document, replaced whole, and no decision by an old one."""

from __future__ import annotations

import asyncio

import pytest
from redis import Redis

from pumpguard.counters import Known
from pumpguard.store.base import Store
from pumpguard.store.embedded import EmbeddedServer
from pumpguard.store.orders import MARK, version_of
from pumpguard.store.redis import RedisStore
from tests.conftest import PATIENT
from tests.store.asking import About, ask, redeem, window

SHARDS = 3


async def test_a_document_is_replaced_by_who_knows_what_it_replaces(store: Store) -> None:
    """Of two who have read the same one, only the first writes."""
    assert await store.orders.read() == b""
    first = await store.orders.write(b"", b"one")
    assert first is not None
    assert await store.orders.write(b"", b"another") is None
    assert await store.orders.read() == first + b"one"
    second = await store.orders.write(first, b"two")
    assert second is not None
    assert version_of(second) > version_of(first)
    assert await store.orders.write(first, b"late") is None
    assert await store.orders.read() == second + b"two"


async def test_who_knows_the_version_is_told_nothing(store: Store) -> None:
    """Before there is one, and when it is still the one."""
    assert await store.orders.news(b"") is None
    first = await store.orders.write(b"", b"one")
    assert first is not None
    assert await store.orders.news(b"") == first + b"one"
    assert await store.orders.news(first) is None


async def test_of_many_writers_at_once_one_writes(store: Store) -> None:
    """Whatever the interleaving."""
    done = await asyncio.gather(*(store.orders.write(b"", b"%d" % n) for n in range(20)))
    versions = [version for version in done if version is not None]
    assert len(versions) == 1
    assert (await store.orders.read())[:MARK] == versions[0]


async def test_a_question_by_other_orders_is_not_decided(store: Store) -> None:
    """And changes nothing: the limit of one is still there afterwards."""
    mark = await store.orders.write(b"", b"closed")
    assert mark is not None
    for known in (b"", (version_of(mark) - 1).to_bytes(MARK), (2**47).to_bytes(MARK)):
        answer = await ask(store, window(1), orders=known)
        assert (answer.outdated, answer.admitted, answer.readings) == (True, False, {})
    answer = await ask(store, window(1), orders=mark)
    assert (answer.outdated, answer.admitted) == (False, True)
    assert not (await ask(store, window(1), orders=mark)).admitted


async def test_an_older_document_never_replaces_a_newer(store: Store) -> None:
    """Putting back is for what was lost; it cannot undo what was ordered since."""
    old = (5).to_bytes(MARK) + b"old"
    new = (6).to_bytes(MARK) + b"new"
    for document in (old, new, old):
        await store.orders.restore(document)
    assert await store.orders.read() == new


async def test_known_numbers_only(store: Store) -> None:
    """Refused and charged nowhere, until the number has verified."""
    known = About(Known("settlement"))
    for _ in range(2):
        answer = await ask(store, known, window(1), known_only=True)
        assert (answer.admitted, answer.known) == (False, False)
    await redeem(store)
    answer = await ask(store, known, window(1), at=1, known_only=True)
    assert (answer.admitted, answer.known) == (True, True)


async def test_a_claim_is_for_the_first(store: Store) -> None:
    """Of many processes one speaks."""
    claims = await asyncio.gather(*(store.orders.claim("spike", 60) for _ in range(10)))
    assert sum(claims) == 1
    assert await store.orders.claim("another", 60)


@pytest.fixture
async def sharded(servers: dict[str, EmbeddedServer], name: str) -> RedisStore:
    """One policy over three shards."""
    return RedisStore(servers["valkey"].url, name=name, shards=SHARDS, deadline=PATIENT)


def copies(url: str, name: str) -> dict[str, bytes]:
    with Redis.from_url(url) as server:
        keys = [f"pg1:{{{name}-{i}}}:orders" for i in range(SHARDS)]
        assert all(0 < server.pttl(key) <= 400 * 86_400_000 for key in keys)
        for key in keys:
            assert server.get(f"{key}:text")[:MARK] == server.get(key)
        return {key: bytes(server.get(f"{key}:text")) for key in keys}


async def test_every_shard_has_the_same_and_every_key_ends(
    sharded: RedisStore, valkey_url: str, name: str
) -> None:
    """The version beside the document, both for 400 days from the last loading."""
    mark = await sharded.orders.write(b"", b"closed")
    assert mark is not None
    assert set(copies(valkey_url, name).values()) == {mark + b"closed"}
    await sharded.aclose()


@pytest.mark.parametrize("reached", range(SHARDS))
async def test_a_writer_that_ends_midway_is_finished_by_the_next_reader(
    sharded: RedisStore, valkey_url: str, name: str, reached: int
) -> None:
    """Here the first shards have the new document and the last ones the old."""
    old = await sharded.orders.write(b"", b"normal")
    assert old is not None
    new = (version_of(old) + 1).to_bytes(MARK) + b"closed"
    with Redis.from_url(valkey_url) as server:
        for i in range(reached + 1):
            server.set(f"pg1:{{{name}-{i}}}:orders:text", new, keepttl=True)
            server.set(f"pg1:{{{name}-{i}}}:orders", new[:MARK], keepttl=True)
    # Whoever knows the newest is told that there is an older one somewhere, and restores it.
    news = await sharded.orders.news(new[:MARK])
    assert news == (None if reached == SHARDS - 1 else old + b"normal")
    assert await sharded.orders.news(old) == new
    assert await sharded.orders.read() == new
    assert set(copies(valkey_url, name).values()) == {new}
    assert await sharded.orders.news(new[:MARK]) is None
    await sharded.aclose()


async def test_a_version_without_its_document_counts_for_nothing(
    valkey_url: str, name: str
) -> None:
    """Evicted, or lost with a server: reading puts it right, so that decisions go on."""
    store = RedisStore(valkey_url, name=name, deadline=PATIENT)
    mark = await store.orders.write(b"", b"closed")
    assert mark is not None
    with Redis.from_url(valkey_url) as server:
        server.delete(f"pg1:{{{name}}}:orders:text")
    assert (await ask(store, window(1))).outdated
    assert await store.orders.read() == b""
    assert (await ask(store, window(1))).admitted
    await store.aclose()
