"""The faults that matter most, on every other server at hand: the same tests, collected again.

Here the fixtures start those servers instead of Valkey, on one event loop only.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import SERVERS
from tests.store.transport.fleet import Pair, Server, cluster, version, watched_pair
from tests.store.transport.test_failover import (
    test_a_planned_failover_under_load,
    test_a_sentinel_failover_under_load,
    test_a_slot_on_its_way,
    test_slots_that_move_under_load,
)
from tests.store.transport.test_faults import (
    test_a_hanging_server_under_load,
    test_a_killed_server_under_load,
    test_a_script_flush_under_load_costs_at_most_one_trip_more,
    test_the_script_is_brought_along_once,
)

__all__ = [
    "test_a_hanging_server_under_load",
    "test_a_killed_server_under_load",
    "test_a_planned_failover_under_load",
    "test_a_script_flush_under_load_costs_at_most_one_trip_more",
    "test_a_sentinel_failover_under_load",
    "test_a_slot_on_its_way",
    "test_slots_that_move_under_load",
    "test_the_script_is_brought_along_once",
]

OTHERS = {name: program for name, program in SERVERS.items() if program is not None}
RECENT = {name: program for name, program in OTHERS.items() if version(program) >= 7}
"""Those whose sentinels can be told to look often, and whose nodes to use any port."""

VALKEY_AGAIN: dict[str, str | None] = {"valkey": None}
"""Where there is no other: tests without a server would count as skipped."""


@pytest.fixture(params=OTHERS or VALKEY_AGAIN)
def own(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server of the test's own."""
    with Server(program=OTHERS.get(request.param)) as server:
        yield server


@pytest.fixture(params=RECENT or VALKEY_AGAIN)
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    """A master, its replica and their sentinel."""
    with watched_pair(program=RECENT.get(request.param)) as started:
        yield started


@pytest.fixture(scope="module", params=RECENT or VALKEY_AGAIN)
def nodes(request: pytest.FixtureRequest) -> Iterator[list[Server]]:
    """A cluster of three masters."""
    with cluster(program=RECENT.get(request.param)) as started:
        yield started
