"""Where overrides are kept: one document, replaced whole, and no decision by an old one."""

from __future__ import annotations

import asyncio

import pytest
from redis import Redis

from pumpguard.counters import Known
from pumpguard.store.base import Store
from pumpguard.store.embedded import EmbeddedServer
from pumpguard.store.memory import MemoryStore
from pumpguard.store.overrides import VERSION_BYTES, version_of
from pumpguard.store.redis import RedisStore
from pumpguard.testing import FakeClock
from tests.conftest import PATIENT
from tests.store.asking import About, ask, redeem, window

SHARDS = 3


async def test_a_document_is_replaced_by_who_knows_what_it_replaces(store: Store) -> None:
    """Of two who have read the same one, only the first writes."""
    assert await store.overrides.read() == b""
    first = await store.overrides.write(b"", b"one")
    assert first is not None
    assert await store.overrides.write(b"", b"another") is None
    assert await store.overrides.read() == first + b"one"
    second = await store.overrides.write(first, b"two")
    assert second is not None
    assert version_of(second) > version_of(first)
    assert await store.overrides.write(first, b"late") is None
    assert await store.overrides.read() == second + b"two"


async def test_who_knows_the_version_is_told_nothing(store: Store) -> None:
    """Before there is one, and when it is still the one."""
    assert await store.overrides.read_if_changed(b"") is None
    first = await store.overrides.write(b"", b"one")
    assert first is not None
    assert await store.overrides.read_if_changed(b"") == first + b"one"
    assert await store.overrides.read_if_changed(first) is None


async def test_of_many_writers_at_once_one_writes(store: Store) -> None:
    """Whatever the interleaving."""
    done = await asyncio.gather(*(store.overrides.write(b"", b"%d" % n) for n in range(20)))
    versions = [version for version in done if version is not None]
    assert len(versions) == 1
    assert (await store.overrides.read())[:VERSION_BYTES] == versions[0]


async def test_a_question_by_other_overrides_is_not_decided(store: Store) -> None:
    """And changes nothing: the limit of one is still there afterwards."""
    version = await store.overrides.write(b"", b"closed")
    assert version is not None
    older = (version_of(version) - 1).to_bytes(VERSION_BYTES)
    for known in (b"", older, (2**47).to_bytes(VERSION_BYTES)):
        answer = await ask(store, window(1), overrides_version=known)
        assert (answer.outdated, answer.admitted, answer.readings) == (True, False, {})
    answer = await ask(store, window(1), overrides_version=version)
    assert (answer.outdated, answer.admitted) == (False, True)
    assert not (await ask(store, window(1), overrides_version=version)).admitted


async def test_an_older_document_never_replaces_a_newer(store: Store) -> None:
    """Putting back is for what was lost; it cannot undo what was ordered since."""
    old = (5).to_bytes(VERSION_BYTES) + b"old"
    new = (6).to_bytes(VERSION_BYTES) + b"new"
    for document in (old, new, old):
        await store.overrides.restore(document)
    assert await store.overrides.read() == new


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
    claims = await asyncio.gather(*(store.overrides.claim("spike", 60) for _ in range(10)))
    assert sum(claims) == 1
    assert await store.overrides.claim("another", 60)


async def test_a_claim_is_for_the_first_of_one_instant_too() -> None:
    """A clock that stands still, as in simulations, says nothing about who came first."""
    clock = FakeClock()
    overrides = MemoryStore(clock=clock).overrides
    assert [await overrides.claim("spike", 60) for _ in range(3)] == [True, False, False]
    clock.advance(60)
    assert await overrides.claim("spike", 60)


@pytest.fixture
async def sharded(servers: dict[str, EmbeddedServer], name: str) -> RedisStore:
    """One policy over three shards."""
    return RedisStore(servers["valkey"].url, name=name, shards=SHARDS, deadline=PATIENT)


def copies(url: str, name: str) -> dict[str, bytes]:
    with Redis.from_url(url) as server:
        keys = [f"pg1:{{{name}-{i}}}:overrides" for i in range(SHARDS)]
        assert all(0 < server.pttl(key) <= 400 * 86_400_000 for key in keys)
        for key in keys:
            assert server.get(f"{key}:text")[:VERSION_BYTES] == server.get(key)
        return {key: bytes(server.get(f"{key}:text")) for key in keys}


async def test_every_shard_has_the_same_and_every_key_ends(
    sharded: RedisStore, valkey_url: str, name: str
) -> None:
    """The version beside the document, both for 400 days from the last loading."""
    version = await sharded.overrides.write(b"", b"closed")
    assert version is not None
    assert set(copies(valkey_url, name).values()) == {version + b"closed"}
    await sharded.aclose()


@pytest.mark.parametrize("reached", range(SHARDS))
async def test_a_writer_that_ends_midway_is_finished_by_the_next_reader(
    sharded: RedisStore, valkey_url: str, name: str, reached: int
) -> None:
    """Here the first shards have the new document and the last ones the old."""
    old = await sharded.overrides.write(b"", b"normal")
    assert old is not None
    new = (version_of(old) + 1).to_bytes(VERSION_BYTES) + b"closed"
    with Redis.from_url(valkey_url) as server:
        for i in range(reached + 1):
            server.set(f"pg1:{{{name}-{i}}}:overrides:text", new, keepttl=True)
            server.set(f"pg1:{{{name}-{i}}}:overrides", new[:VERSION_BYTES], keepttl=True)
    # Whoever knows the newest is told that there is an older one somewhere, and restores it.
    news = await sharded.overrides.read_if_changed(new[:VERSION_BYTES])
    assert news == (None if reached == SHARDS - 1 else old + b"normal")
    assert await sharded.overrides.read_if_changed(old) == new
    assert await sharded.overrides.read() == new
    assert set(copies(valkey_url, name).values()) == {new}
    assert await sharded.overrides.read_if_changed(new[:VERSION_BYTES]) is None
    await sharded.aclose()


async def test_a_version_without_its_document_counts_for_nothing(
    valkey_url: str, name: str
) -> None:
    """Evicted, or lost with a server: reading puts it right, so that decisions go on."""
    store = RedisStore(valkey_url, name=name, deadline=PATIENT)
    version = await store.overrides.write(b"", b"closed")
    assert version is not None
    with Redis.from_url(valkey_url) as server:
        server.delete(f"pg1:{{{name}}}:overrides:text")
    assert (await ask(store, window(1))).outdated
    assert await store.overrides.read() == b""
    assert (await ask(store, window(1))).admitted
    await store.aclose()
