"""Topologies: what URLs mean, and what sentinels and cluster nodes are believed."""

from __future__ import annotations

import socket
import ssl
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis.crc import key_slot

from pumpguard.errors import PolicyError, StoreError
from pumpguard.store.transport import topology
from pumpguard.store.transport.endpoint import Endpoint
from pumpguard.store.transport.faults import Unreachable
from pumpguard.store.transport.topology import Cluster, Sentinels, Standalone, topology_of
from tests.store.transport.fleet import Server, watched_pair
from tests.store.transport.stand_ins import fake, throwaway_certificate

NOBODY = "127.0.0.1:1"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Searches give up soon."""
    monkeypatch.setattr(topology, "PATIENCE", 0.1)


@pytest.fixture
def silent() -> Iterator[str]:
    """An address that accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def packed(value: Any) -> bytes:
    """A reply as a server writes it."""
    match value:
        case None:
            return b"$-1\r\n"
        case int():
            return b":%d\r\n" % value
        case str():
            return b"$%d\r\n%b\r\n" % (len(value), value.encode())
    return b"*%d\r\n" % len(value) + b"".join(map(packed, value))


# One server.


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("redis://", Endpoint()),
        ("redis://h:7/3", Endpoint("h", 7, db=3)),
        ("redis://h?db=4", Endpoint("h", db=4)),
        ("redis://:p%40ss@h", Endpoint("h", password="p@ss")),
        ("redis://u:p@[::1]:8", Endpoint("::1", 8, username="u", password="p")),
        ("unix:///run/s?db=1", Endpoint(path="/run/s", db=1)),
        ("unix://u:p@/run/s", Endpoint(path="/run/s", username="u", password="p")),
    ],
)
async def test_one_server_is_where_the_url_says(url: str, endpoint: Endpoint) -> None:
    """As redis-py reads it."""
    assert await Standalone(url).locate("key") == endpoint


@pytest.mark.parametrize(
    "url",
    [
        "http://u:hunter2@h",
        "redis://u:hunter2@h:port",
        "redis://u:hunter2@h/first",
        "redis://u:hunter2@h?db=first",
        "redis://u:hunter2@h?socket_timeout=5",
        "redis://u:hunter2@h?max_connections=5",
        "rediss://u:hunter2@h?ssl_ca_certs=/nowhere",
        "rediss://u:hunter2@h?ssl_cert_reqs=sometimes",
        "redis+cluster://u:hunter2@h,g/1",
        "redis+cluster://u:hunter2@h,,g",
        "redis+sentinel://u:hunter2@h,g",
        "redis+sentinel://u:hunter2@h:port/shop",
        "redis+sentinel://u:hunter2@h/shop/first",
        "redis+sentinel://",
        "redis+carrier-pigeon://u:hunter2@h",
        "",
    ],
)
def test_a_url_that_cannot_be_meant_is_refused_at_construction(url: str) -> None:
    """What we would ignore we do not accept; and the complaint does not show the password."""
    with pytest.raises(PolicyError) as caught:
        topology_of(url)
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


async def test_endpoints_do_not_show_their_passwords() -> None:
    """Neither to logs nor in error messages."""
    endpoint = await Standalone("redis://u:hunter2@h").locate("key")
    assert "hunter2" not in f"{endpoint!r}{endpoint.where}"


async def test_rediss_means_tls_that_checks(tmp_path: Path) -> None:
    """Certificates and names are checked unless the URL says otherwise."""
    certificate, _ = throwaway_certificate(tmp_path)
    strict = (await Standalone(f"rediss://h?ssl_ca_certs={certificate}").locate("key")).tls
    assert strict is not None
    assert (strict.verify_mode, strict.check_hostname) == (ssl.CERT_REQUIRED, True)
    lax = (await Standalone("rediss://h?ssl_cert_reqs=none").locate("key")).tls
    assert lax is not None
    assert lax.verify_mode == ssl.CERT_NONE


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("rediss://h", Standalone),
        ("unix:///s", Standalone),
        ("redis+sentinel://h/shop", Sentinels),
        ("rediss+sentinel://h:1,g:2/shop/1", Sentinels),
        ("redis+cluster://h,g:2", Cluster),
        ("rediss+cluster://u:p@h", Cluster),
    ],
)
def test_the_scheme_names_the_topology(url: str, kind: type) -> None:
    """One string in the configuration is enough."""
    assert type(topology_of(url)) is kind


# Sentinels.


async def test_sentinels_know_the_master(silent: str) -> None:
    """The first to answer is believed, whoever else is down or silent."""
    with watched_pair() as (master, _, sentinel):
        url = f"redis+sentinel://u:p@{NOBODY},{silent},{sentinel.seed}/shop/4"
        start = time.monotonic()
        found = await Sentinels(url).locate("key")
        assert time.monotonic() - start < 0.5
        expected = Endpoint("127.0.0.1", master.port, db=4, username="u", password="p")
        assert found == expected
        with pytest.raises(StoreError, match="MasterNotFound"):
            await Sentinels(f"redis+sentinel://{sentinel.seed}/unknown").locate("key")


@pytest.mark.usefixtures("impatient")
async def test_sentinels_that_are_all_away_are_a_store_error(silent: str) -> None:
    """In bounded time."""
    start = time.monotonic()
    with pytest.raises(Unreachable):
        await Sentinels(f"redis+sentinel://{NOBODY},{silent}/shop").locate("key")
    assert time.monotonic() - start < 0.5


async def test_sentinels_have_a_login_of_their_own() -> None:
    """The servers' user and password are not for them."""
    state = ["name", "shop", "ip", "10.0.0.7", "port", "6380", "flags", "master"]
    state += ["num-other-sentinels", "2", "quorum", "2"]
    masters = packed([state])
    async with fake(lambda c: masters if c[0] == b"SENTINEL" else b"+OK\r\n") as sentinel:
        seed = sentinel.url.removeprefix("redis://")
        options = "sentinel_username=watch&sentinel_password=open%26sesame"
        found = await Sentinels(f"redis+sentinel://u:p@{seed}/shop?{options}").locate("key")
        assert (found.host, found.port, found.password) == ("10.0.0.7", 6380, "p")
        assert sentinel.heard[0] == [b"AUTH", b"watch", b"open&sesame"]
        assert sentinel.verbs() == [b"AUTH", b"SENTINEL"]


# Clusters.


async def test_a_cluster_knows_the_owner_of_a_slot(nodes: list[Server], silent: str) -> None:
    """From any seed, whoever else is down or silent."""
    owners = set()
    for seed in nodes:
        cluster = Cluster(f"redis+cluster://{NOBODY},{silent},{seed.seed}")
        for tag in ("a", "b", "c", "d", "e", "f"):
            found = await cluster.locate(f"pg1:{{{tag}}}:x".encode())
            assert found == await cluster.locate(f"pg1:{{{tag}}}:y")
            [node] = [node for node in nodes if node.port == found.port]
            assert node.ask("CLUSTER", "COUNTKEYSINSLOT", key_slot(tag.encode())) == 0
            assert node.ask("EXISTS", f"pg1:{{{tag}}}:x") == 0  # others would say MOVED
            owners.add(found)
    assert len(owners) == 3


async def test_a_cluster_is_found_again_when_its_seeds_have_gone(nodes: list[Server]) -> None:
    """Nodes seen last are asked too."""
    cluster = Cluster(f"redis+cluster://{nodes[0].seed}")
    before = await cluster.locate("key")
    cluster._seeds = [Endpoint("127.0.0.1", 1)]
    assert await cluster.locate("key") == before


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (packed([[0, 16383, ["10.0.0.9", 7, "id"]]]), ("10.0.0.9", 7)),
        (packed([[0, 16383, ["", 7, "id", []], ["10.0.0.8", 8, "id"]]]), ("127.0.0.1", 7)),
        (packed([[0, 16383, [None, 7, "id", ["hostname", "x"]]]]), ("127.0.0.1", 7)),
        (packed([[0, 16383, ["?", 7, "id"]]]), None),
        (packed([[0, 3, ["10.0.0.9", 7, "id"]]]), None),
        (packed([]), None),
        (packed([[0]]), None),
        (packed([[0, 16383, 5]]), None),
        (b"-ERR This instance has cluster support disabled\r\n", None),
        (b"+what?\r\n", None),
        (b"$-1\r\n", None),
        (b":1\r\n", None),
    ],
)
async def test_what_a_node_says_about_slots(reply: bytes, outcome: tuple[str, int] | None) -> None:
    """Without a host it means its own; whatever cannot be read is a store error."""
    async with fake(reply) as node:
        cluster = Cluster(node.url.replace("redis://", "redis+cluster://u:p@"))
        node.answer = lambda command: b"+OK\r\n" if command[0] == b"AUTH" else reply
        if outcome is None:
            with pytest.raises(Unreachable):
                await cluster.locate("key")
        else:
            found = await cluster.locate("key")
            assert (found.host, found.port, found.password) == (*outcome, "p")


@pytest.mark.usefixtures("impatient")
async def test_a_silent_cluster_is_a_store_error(silent: str) -> None:
    """In bounded time."""
    start = time.monotonic()
    with pytest.raises(Unreachable):
        await Cluster(f"redis+cluster://{NOBODY},{silent}").locate("key")
    assert time.monotonic() - start < 0.5
