"""Topologies: what URLs mean, and what sentinels and cluster nodes are believed."""

from __future__ import annotations

import asyncio
import socket
import ssl
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pumpguard.errors import PolicyError, StoreError
from pumpguard.store.transport import topology
from pumpguard.store.transport.calls import Unreachable
from pumpguard.store.transport.endpoint import Endpoint
from pumpguard.store.transport.topology import Cluster, Sentinels, Standalone, topology_of
from tests.conftest import PATIENT
from tests.store.transport.fleet import Server, watched_pair
from tests.store.transport.stand_ins import Fake, fake, packed, throwaway_certificate

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


async def test_valkey_is_redis_by_another_name() -> None:
    """As its own clients write it; ``valkeys`` speaks TLS."""
    assert await topology_of("valkey://u:p@h:7/3").locate("key") == Endpoint(
        "h", 7, db=3, username="u", password="p"
    )
    assert (await topology_of("valkeys://h").locate("key")).tls is not None


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
        ("valkey://h", Standalone),
        ("valkeys+sentinel://h/shop", Sentinels),
        ("valkey+cluster://h,g:2", Cluster),
    ],
)
def test_the_scheme_names_the_topology(url: str, kind: type) -> None:
    """One string in the configuration is enough."""
    assert type(topology_of(url)) is kind


# Sentinels.


async def test_sentinels_know_the_master(silent: str) -> None:
    """Whoever else is down or silent; a login that the master refuses is the first call's fault."""
    with watched_pair() as (master, replica, sentinel):
        url = f"redis+sentinel://u:p@{NOBODY},{silent},{sentinel.seed}/shop/4"
        found = await Sentinels(url).locate("key")
        expected = Endpoint("127.0.0.1", master.port, db=4, username="u", password="p")
        assert found == expected
        with pytest.raises(StoreError, match="No such master"):
            await Sentinels(f"redis+sentinel://{sentinel.seed}/unknown").locate("key")
        await a_stale_sentinel_is_not_believed(master, replica, sentinel)


async def a_stale_sentinel_is_not_believed(
    master: Server, replica: Server, sentinel: Server
) -> None:
    """However fast it is: a replica says itself that it is one. Nobody else, and it is a fault."""
    async with fake(naming(replica.port, epoch=99)) as stale:
        seed = stale.url.removeprefix("redis://")
        found = await Sentinels(f"redis+sentinel://{seed},{sentinel.seed}/shop").locate("key")
        assert found.port == master.port
        with pytest.raises(Unreachable, match="is a replica"):
            await Sentinels(f"redis+sentinel://{seed}/shop").locate("key")


@pytest.mark.usefixtures("impatient")
async def test_sentinels_that_are_all_away_are_a_store_error(silent: str) -> None:
    """In bounded time."""
    async with asyncio.timeout(PATIENT):
        with pytest.raises(Unreachable):
            await Sentinels(f"redis+sentinel://{NOBODY},{silent}/shop").locate("key")


def naming(port: int, epoch: int = 0, flags: str = "master") -> bytes:
    """What a sentinel says of its master."""
    state = ["name", "shop", "ip", "127.0.0.1", "port", str(port), "flags", flags]
    return packed([*state, "num-other-sentinels", "2", "config-epoch", str(epoch)])


def seeds(*fakes: Fake) -> str:
    return ",".join(each.url.removeprefix("redis://") for each in fakes)


async def test_the_latest_word_counts(valkey: Server, own: Server) -> None:
    """An old master that was cut off still calls itself one, as do the sentinels on its side."""
    async with fake(naming(valkey.port, 6)) as stale, fake(naming(own.port, 7)) as recent:
        for order in ((stale, recent), (recent, stale)):
            found = await Sentinels(f"redis+sentinel://{seeds(*order)}/shop").locate("key")
            assert found.port == own.port


async def test_a_master_that_is_held_for_down_is_not_taken(valkey: Server) -> None:
    """Until the failover is over there is none."""
    async with fake(naming(valkey.port, flags="master,s_down,o_down")) as sentinel:
        with pytest.raises(Unreachable, match=r"says that .* is down"):
            await Sentinels(f"redis+sentinel://{seeds(sentinel)}/shop").locate("key")


@pytest.mark.parametrize("said", [b"+OK\r\n", b"*0\r\n", b":1\r\n", b"$-1\r\n", b"*1\r\n:1\r\n"])
async def test_what_is_no_word_of_a_master(said: bytes) -> None:
    """A store error, as for everything."""
    async with fake(said) as sentinel:
        with pytest.raises(Unreachable, match="no such master"):
            await Sentinels(f"redis+sentinel://{seeds(sentinel)}/shop").locate("key")


@pytest.mark.parametrize(
    "hello", [b"-NOPERM\r\n", b"-ERR unknown command\r\n", b"*0\r\n", b":1\r\n"]
)
async def test_a_master_that_does_not_say_what_it_is_is_believed(hello: bytes) -> None:
    """One call tells, and nothing is lost by it."""
    async with fake(hello) as server, fake(naming(server.port)) as sentinel:
        found = await Sentinels(f"redis+sentinel://{seeds(sentinel)}/shop").locate("key")
        assert found.port == server.port
        assert server.heard == [[b"HELLO", b"2"]]


async def test_sentinels_have_a_login_of_their_own_over_tls_too(tmp_path: Path) -> None:
    """The servers' user and password are not for them."""
    file, context = throwaway_certificate(tmp_path, "DNS:localhost,IP:127.0.0.1")
    said: list[bytes] = []
    async with (
        fake(b"+OK\r\n", ssl=context) as server,
        fake(lambda c: said[0] if c[0] == b"SENTINEL" else b"+OK\r\n", ssl=context) as sentinel,
    ):
        said.append(naming(server.port))
        login = "sentinel_username=watch&sentinel_password=open%26sesame"
        url = f"rediss+sentinel://u:p@{seeds(sentinel)}/shop?ssl_ca_certs={file}&{login}"
        found = await Sentinels(url).locate("key")
        assert (found.port, found.password) == (server.port, "p")
        assert sentinel.heard == [
            [b"AUTH", b"watch", b"open&sesame"],
            [b"SENTINEL", b"MASTER", b"shop"],
        ]
        assert server.heard[0] == [b"AUTH", b"u", b"p"]


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


def view(port: int, epoch: int, state: str = "ok") -> Any:
    """A node that holds another for the owner of everything."""
    info = f"cluster_state:{state}\r\ncluster_current_epoch:{epoch}\r\n"
    slots = [[0, 16383, ["127.0.0.1", port, "id"]]]
    return lambda command: packed(slots if command[1] == b"SLOTS" else info)


@pytest.mark.parametrize(
    ("stale", "recent"),
    [
        (view(1, epoch=3), view(2, epoch=4)),
        (view(1, epoch=9, state="fail"), view(2, epoch=4)),
        (lambda _: packed([[0, 16383, ["127.0.0.1", 1, "id"]]]), view(2, epoch=4)),
    ],
)
async def test_the_latest_view_counts(stale: Any, recent: Any) -> None:
    """A node in a minority goes on saying what was true, and its elections count up for nothing."""
    async with fake(stale) as one, fake(recent) as other:
        for order in ((one, other), (other, one)):
            found = await Cluster(f"redis+cluster://{seeds(*order)}").locate("key")
            assert found.port == 2


@pytest.mark.usefixtures("impatient")
async def test_a_silent_cluster_is_a_store_error(silent: str) -> None:
    """In bounded time."""
    async with asyncio.timeout(PATIENT):
        with pytest.raises(Unreachable):
            await Cluster(f"redis+cluster://{NOBODY},{silent}").locate("key")
