"""Clusters whose slots move and masters that die, under load."""

from __future__ import annotations

import random
import time

from tests.store.transport.fleet import Pair, Server, moving, until
from tests.store.transport.linking import READ, Load, MakeLink, count, elsewhere, fault_of, to_run

# Clusters.


def cluster_url(nodes: list[Server]) -> str:
    return "redis+cluster://" + ",".join(node.seed for node in nodes)


async def test_a_cluster_serves_the_script_at_the_owner_of_its_slot(
    make_link: MakeLink, nodes: list[Server], name: str
) -> None:
    """No redirection, ever, while nothing moves."""
    for tag in (f"{name}-{i}" for i in range(6)):
        link = make_link(cluster_url(nodes))
        for number in range(1, 4):
            assert await count(link, f"{{{tag}}}:a", f"{{{tag}}}:b") == number
        assert len(next(iter(link._routers.values()))._servers) == 1


async def test_a_slot_that_has_moved_costs_one_trip_once(
    make_link: MakeLink, nodes: list[Server], name: str
) -> None:
    """MOVED has not run: it is followed, and nobody notices."""
    link = make_link(cluster_url(nodes))
    keys = (f"{{{name}}}:a", f"{{{name}}}:b")
    assert await count(link, *keys) == 1
    with moving(nodes, name):
        pass
    assert [await count(link, *keys) for _ in range(3)] == [2, 3, 4]


async def test_a_slot_on_its_way(make_link: MakeLink, nodes: list[Server], name: str) -> None:
    """Keys on both sides: a store error, until they are together again; never counted twice."""
    link = make_link(cluster_url(nodes))
    a, b = f"{{{name}}}:a", f"{{{name}}}:b"
    assert await count(link, a, b) == 1
    with moving(nodes, name) as (migrate, _, _):
        assert await count(link, a, b) == 2  # all still there
        migrate(a)
        fault = await fault_of(link, a, b)
        assert type(fault.reply).__name__ == "TryAgainError"  # type: ignore[attr-defined]
        assert await count(link, a) == 3  # ASK is followed
        migrate(b)
        assert await count(link, a, b) == 4  # ASK, for both
    assert await count(link, a, b) == 5


async def test_slots_that_move_under_load(
    make_link: MakeLink, nodes: list[Server], name: str
) -> None:
    """To and fro: answers or store errors, nothing counted twice, and no restart."""
    link = make_link(cluster_url(nodes), deadline=1.0)
    keys = [(f"{{{name}}}:{i}-a", f"{{{name}}}:{i}-b") for i in range(20)]
    dice = random.Random(3)
    load = Load(link, lambda: dice.choice(keys))

    def there_and_back() -> None:
        for _ in range(3):
            with moving(nodes, name) as (migrate, _, _):
                for pair in dice.sample(keys, 10):
                    migrate(pair[0])

    async with load.running():
        await load.more()
        await elsewhere(there_and_back)
        await load.more()
    assert set(load.outcomes) <= {"answered", "ErrorReply"}
    counted = 0
    for first, second in keys:
        reads = [int(await link.run(to_run(READ, key))) for key in (first, second)]
        assert reads[0] == reads[1]
        counted += reads[0]
    assert 0 <= counted - load.outcomes["answered"] <= 16  # the last ones were called off


# Sentinels.


async def test_a_sentinel_failover_under_load(make_link: MakeLink, pair: Pair, name: str) -> None:
    """The master dies: store errors, then the replica serves."""
    master, replica, sentinel = pair
    link = make_link(f"redis+sentinel://{sentinel.seed}/shop", deadline=0.25)
    load = Load(link, lambda: (name,))
    async with load.running():
        await load.more()
        await elsewhere(master.kill)
        await elsewhere(lambda: until(lambda: replica.ask("ROLE")[0] == b"master"))
        await load.more()
    assert set(load.outcomes) <= {"answered", "Lost", "Unreachable", "Late", "ErrorReply"}
    assert int(replica.ask("GET", name)) > 50


def gives_way(master: Server, sentinel: Server) -> bool:
    """Ask for a failover until there was one: a sentinel may begin it and think again."""
    _, port = sentinel.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "shop")
    if int(port) == master.port:
        sentinel.ask("SENTINEL", "FAILOVER", "shop")
        time.sleep(0.2)
    return int(port) != master.port


async def test_a_planned_failover_under_load(make_link: MakeLink, pair: Pair, name: str) -> None:
    """The old master lives on as a replica: it is left, not hammered."""
    master, replica, sentinel = pair
    link = make_link(f"redis+sentinel://{sentinel.seed}/shop", deadline=0.25)
    load = Load(link, lambda: (name,))
    async with load.running():
        await load.more()
        await elsewhere(lambda: until(lambda: gives_way(master, sentinel)))
        await elsewhere(lambda: until(lambda: master.ask("ROLE")[0] == b"slave"))
        await load.more()
    assert set(load.outcomes) <= {"answered", "Lost", "Unreachable", "Late", "ErrorReply"}
    assert replica.ask("ROLE")[0] == b"master"
