"""What a fleet has seen is added once, by whatever process, and kept within bounds."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import pytest

from pumpguard.store.embedded import EmbeddedServer
from pumpguard.store.fleet import HOUR, MINUTE, Batch, FleetStore, MemoryFleet, StandingBan
from pumpguard.store.inspected import InspectedStore
from pumpguard.store.memory import MemoryStore
from pumpguard.store.redis import RedisStore

NOW = time.time()
MINUTE_NOW, HOUR_NOW = int(NOW) // MINUTE * MINUTE, int(NOW) // HOUR * HOUR
FIELDS, BANS = 3_000, 5_000  # as fleet.lua has them
ALLOWED, REFUSED = "c\tGB\tallow\tn", "c\tBD\tblock\tn"


@pytest.fixture
def fleet(store: InspectedStore) -> FleetStore:
    """Where each store in turn keeps what its fleet has seen."""
    assert store.fleet is not None
    return store.fleet


def batch(
    counts: Mapping[str, int] = {},
    *,
    hour: int = HOUR_NOW,
    bans: Sequence[StandingBan] = (),
    refused: Mapping[str, str] = {},
    verified: Sequence[str] = (),
) -> Batch:
    """Of this minute."""
    return Batch(MINUTE_NOW, hour, counts, bans, dict(refused), verified)


async def test_what_processes_add_is_summed_by_minute_and_by_hour(fleet: FleetStore) -> None:
    await fleet.add("one", 1, "{}", batch({ALLOWED: 2, REFUSED: 1}))
    await fleet.add("two", 1, "{}", batch({ALLOWED: 3}))
    await fleet.add("one", 2, "{}", batch({ALLOWED: 1}))
    look = await fleet.look([MINUTE_NOW - MINUTE, MINUTE_NOW], [HOUR_NOW])
    assert look.buckets == ({}, {ALLOWED: 6, REFUSED: 1}, {ALLOWED: 6, REFUSED: 1})


async def test_a_batch_is_added_once_however_often_it_is_sent(fleet: FleetStore) -> None:
    """A reply that is lost must not count twice."""
    for number in (1, 1, 2, 1, 2):
        await fleet.add("one", number, "{}", batch({ALLOWED: 1}))
    look = await fleet.look([MINUTE_NOW])
    assert look.buckets[0] == {ALLOWED: 2}


async def test_everybody_hears_who_speaks_and_what_they_said_last(fleet: FleetStore) -> None:
    await fleet.add("one", 1, '{"n":1}', batch())
    await fleet.add("two", 1, '{"n":5}', batch())
    await fleet.add("one", 2, '{"n":2}', batch())
    look = await fleet.look()
    assert {each.process: each.word for each in look.speakers} == {
        "one": '{"n":2}',
        "two": '{"n":5}',
    }
    assert all(0 <= each.silent < 60 for each in look.speakers)


async def test_more_buckets_than_fit_into_one_call_are_read(fleet: FleetStore) -> None:
    await fleet.add("one", 1, "{}", batch({ALLOWED: 1}))
    minutes = [MINUTE_NOW - MINUTE * ago for ago in range(60)]
    look = await fleet.look(minutes, [HOUR_NOW])
    assert [each for each in look.buckets if each] == [{ALLOWED: 1}] * 2
    assert len(look.buckets) == 61


async def test_a_number_that_was_refused_and_verified_later_speaks_against_its_rules(
    fleet: FleetStore,
) -> None:
    await fleet.add("one", 1, "{}", batch(refused={"aa": "ban\tlimit", "bb": "limit"}))
    await fleet.add("two", 1, "{}", batch(refused={"aa": "ban"}, verified=["aa", "cc"]))
    await fleet.add("two", 2, "{}", batch(verified=["aa"]))
    look = await fleet.look([MINUTE_NOW])
    assert look.buckets[0] == {
        "r\tban\tsampled": 1,
        "r\tlimit\tsampled": 2,
        "r\tban\tverified": 1,
        "r\tlimit\tverified": 1,
    }


async def test_it_is_looked_out_for_in_the_next_two_hours(fleet: FleetStore) -> None:
    await fleet.add("one", 1, "{}", batch(refused={"aa": "limit", "bb": "limit"}))
    await fleet.add("one", 2, "{}", batch(hour=HOUR_NOW + 2 * HOUR, verified=["aa"]))
    await fleet.add("one", 3, "{}", batch(hour=HOUR_NOW + 3 * HOUR, verified=["bb"]))
    look = await fleet.look([], [HOUR_NOW + 2 * HOUR, HOUR_NOW + 3 * HOUR])
    assert look.buckets == ({"r\tlimit\tverified": 1}, {})


async def test_bans_stand_until_their_end_or_until_they_are_lifted(fleet: FleetStore) -> None:
    over, soon, late = (StandingBan(f"0-{n}-ban", NOW + n, f'"{n}"') for n in (-5, 36_000, 40_000))
    await fleet.add("one", 1, "{}", batch(bans=[late, over, soon]))
    assert [each.words for each in await fleet.bans()] == ['"36000"', '"40000"']
    assert await fleet.forget(soon.id)
    assert not await fleet.forget(soon.id)
    assert [each.id for each in await fleet.bans()] == [late.id]


async def test_a_ban_that_is_met_again_is_the_same_with_a_later_end(fleet: FleetStore) -> None:
    await fleet.add("one", 1, "{}", batch(bans=[StandingBan("0-a-ban", NOW + 36_000, "first")]))
    await fleet.add("two", 1, "{}", batch(bans=[StandingBan("0-a-ban", NOW + 40_000, "second")]))
    (found,) = await fleet.bans()
    assert found.words == "second"
    assert found.until == pytest.approx(NOW + 40_000, abs=0.01)


async def test_an_attacker_does_not_fill_the_server(valkey_url: str, name: str) -> None:
    """However many blocks and networks he tries, and addresses he gets banned."""
    store = RedisStore(valkey_url, name=name, deadline=10.0)
    blocks = {f"b\tBD\t+8801{n:06}\tlimit\tn": 1 for n in range(3 * FIELDS)}
    networks = {f"w\t10.{n}.•\tBD\tn": 1 for n in range(FIELDS)}
    fields = list({**blocks, **networks}.items())
    for n in range(0, len(fields), 200):
        await store.fleet.add("one", n + 1, "{}", batch(dict(fields[n : n + 200])))
    bans = [StandingBan(f"0-{n}-ban", NOW + 36_000, "") for n in range(BANS + 100)]
    await store.fleet.add("two", 1, "{}", batch(bans=bans))
    numbers = {f"{n:016x}": "limit" for n in range(5_100)}
    await store.fleet.add("two", 2, "{}", batch(refused=numbers))
    (bucket,) = (await store.fleet.look([MINUTE_NOW])).buckets
    assert sum(n for field, n in bucket.items() if field[0] in "bw") == len(fields)
    assert len(bucket) <= FIELDS + 3
    assert bucket["b\tBD\tother\tlimit\tn"] > FIELDS
    assert bucket["w\tother\t\tn"] > 0
    assert bucket["r\tlimit\tsampled"] == 5_000
    assert len(await store.fleet.bans()) == BANS
    await store.aclose()


async def test_a_flood_over_many_blocks_hides_none_that_is_under_attack(
    valkey_url: str, name: str
) -> None:
    """The dearest keep their names, and not the first: this one begins when the bucket is full."""
    store = RedisStore(valkey_url, name=name, deadline=10.0)
    attacked, dollars = "b\tAZ\t+994501234\tlimit\t", 0
    for second in range(200):
        flood = {
            f"b\tAZ\t+99455{50 * second + n:06}\tlimit\t{what}": amount
            for n in range(50)
            for what, amount in (("n", 1), ("u", 270_000))
        }
        if second >= 100:
            flood |= {f"{attacked}n": 4, f"{attacked}u": 4 * 270_000}
        dollars += sum(amount for field, amount in flood.items() if field.endswith("u"))
        await store.fleet.add("one", second + 1, "{}", batch(flood))
    for bucket in (await store.fleet.look([MINUTE_NOW], [HOUR_NOW])).buckets:
        assert bucket[f"{attacked}n"] == 400
        assert bucket[f"{attacked}u"] == 400 * 270_000
        assert sum(amount for field, amount in bucket.items() if field.endswith("u")) == dollars
        assert len(bucket) <= FIELDS
    await store.aclose()


async def test_what_is_let_through_leaves_room_for_what_is_refused(
    valkey_url: str, name: str
) -> None:
    """Of blocks without refusals (`-`) two thirds as many are told apart, and in minutes alone."""
    store = RedisStore(valkey_url, name=name, deadline=10.0)
    for n in range(60):
        sent = {f"b\tGB\t+4474{n:03}{each:02}\t-\tn": 1 for each in range(50)}
        await store.fleet.add("one", n + 1, "{}", batch(sent))
    refused = {f"b\tBD\t+8801{n:06}\tlimit\tn": 1 for n in range(50)}
    await store.fleet.add("two", 1, "{}", batch({**refused, ALLOWED: 3_000}))
    minute, hour = (await store.fleet.look([MINUTE_NOW], [HOUR_NOW])).buckets
    assert FIELDS * 2 / 3 - 50 <= len(minute) - len(refused) <= FIELDS * 2 / 3 + 2
    assert sum(n for field, n in minute.items() if field.startswith("b\tGB")) == 3_000
    assert hour == {**refused, ALLOWED: 3_000}
    assert refused.items() <= minute.items()
    await store.aclose()


async def test_everything_ends_by_itself(servers: dict[str, EmbeddedServer], name: str) -> None:
    import redis.asyncio

    store = RedisStore(servers["valkey"].url, name=name, deadline=10.0)
    ban = StandingBan("0-a-ban", NOW + 36_000, "")
    await store.fleet.add("one", 1, "{}", batch({ALLOWED: 1}, bans=[ban], refused={"aa": "x"}))
    async with redis.asyncio.Redis.from_url(servers["valkey"].url) as client:
        keys = await client.keys(f"pg1:{{{name}}}:fleet:*")
        assert len(keys) == 6
        assert all([0 < await client.ttl(key) <= 8 * 86_400 for key in keys])
    await store.aclose()


async def test_memory_forgets_what_is_old() -> None:
    now = [NOW]
    fleet = MemoryFleet(lambda: now[0])
    await fleet.add("one", 1, "{}", batch({ALLOWED: 1}))
    now[0] += 30 * HOUR
    later = int(now[0]) // HOUR * HOUR
    await fleet.add("one", 2, "{}", Batch(later, later, {}))
    assert (await fleet.look([MINUTE_NOW], [HOUR_NOW])).buckets == ({}, {})


def test_a_store_in_this_process_has_a_fleet_of_one() -> None:
    assert isinstance(MemoryStore().fleet, MemoryFleet)
