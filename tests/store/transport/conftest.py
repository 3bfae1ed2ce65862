"""Servers that may be broken, and the ways to speak with them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvloop

from pumpguard.store.transport.endpoint import Endpoint
from pumpguard.store.transport.link import Link, Multiplexer
from tests.conftest import PATIENT, SERVERS
from tests.store.transport.calling import MakeLine, closed
from tests.store.transport.fleet import Pair, Server, cluster, watched_pair
from tests.store.transport.linking import MakeLink

TLS_SERVERS = {
    name: program
    for name, program in SERVERS.items()
    if program is not None and b"SSL_CTX_new" in Path(program).read_bytes()
}
"""Servers that are built with TLS. The others know the options, and refuse them when started."""

collect_ignore = [] if TLS_SERVERS else ["test_tls.py"]

Loops = dict[str, Callable[[], asyncio.AbstractEventLoop]]
ONE_LOOP: Loops = {"asyncio": asyncio.new_event_loop}
BOTH_LOOPS: Loops = {**ONE_LOOP, "uvloop": uvloop.new_event_loop}
ON_BOTH = {
    "test_connections",
    "test_failover",
    "test_faults",
    "test_multiplexer",
    "test_redirections",
    "test_tls",
}
"""Where the event loop's own transports and clocks matter."""


@pytest.hookimpl(optionalhook=True)
def pytest_asyncio_loop_factories(item: pytest.Item) -> Loops:
    """Run what is close to the wire on asyncio's own loop and on uvloop."""
    return BOTH_LOOPS if item.path.stem in ON_BOTH else ONE_LOOP


@pytest.fixture(scope="session")
def valkey() -> Iterator[Server]:
    """A server that tests share and leave as they found it."""
    with Server() as server:
        yield server


@pytest.fixture
def own() -> Iterator[Server]:
    """A server of the test's own, to be hung, killed and reconfigured."""
    with Server() as server:
        yield server


@pytest.fixture(scope="session")
def nodes() -> Iterator[list[Server]]:
    """A cluster of three masters, between which slots may be moved."""
    with cluster() as started:
        yield started


@pytest.fixture
def pair() -> Iterator[Pair]:
    """A master, its replica and their sentinel, to be failed over."""
    with watched_pair() as started:
        yield started


@pytest.fixture
async def make_line() -> AsyncIterator[MakeLine]:
    """Makes multiplexers and closes them in the end."""
    made: list[Multiplexer] = []

    def make(where: str | Endpoint, **options: Any) -> Multiplexer:
        endpoint = Endpoint.of(where) if isinstance(where, str) else where
        made.append(Multiplexer(endpoint, **{"deadline": PATIENT, **options}))
        return made[-1]

    yield make
    for line in made:
        await closed(line)


@pytest.fixture
async def make_link() -> AsyncIterator[MakeLink]:
    """Makes links and closes them in the end."""
    made: list[Link] = []

    def make(where: Any, **options: Any) -> Link:
        made.append(Link(where, **{"deadline": PATIENT, **options}))
        return made[-1]

    yield make
    for link in made:
        await link.aclose()
