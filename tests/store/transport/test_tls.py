"""TLS all the way: sentinels and whom they name, nodes and whom they point at.

The servers in wheels are built without TLS, so this runs where Debian's Redis is (see the
transport's conftest); a single server behind a proxy that takes TLS off is in test_connections.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pumpguard.errors import StoreError
from pumpguard.store.transport.calls import Unreachable
from pumpguard.store.transport.topology import topology_of
from tests.store.transport.conftest import TLS_SERVERS
from tests.store.transport.fleet import (
    Certificate,
    Pair,
    Server,
    cluster,
    moving,
    until,
    watched_pair,
)
from tests.store.transport.linking import Load, MakeLink, count, elsewhere, fault_of
from tests.store.transport.stand_ins import throwaway_certificate

ONE_LOOP_WILL_DO = pytest.mark.asyncio(loop_factories=["asyncio"])

ANYWHERE = "DNS:localhost,IP:127.0.0.1"


@pytest.fixture(scope="module", params=list(TLS_SERVERS.values()), ids=list(TLS_SERVERS))
def program(request: pytest.FixtureRequest) -> str:
    """A server that is built with TLS."""
    path: str = request.param
    return path


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """What all servers here show."""
    folder = tmp_path_factory.mktemp("tls")
    file, _ = throwaway_certificate(folder, ANYWHERE)
    return Certificate(file, folder / "key.pem")


@pytest.fixture(scope="module")
def pair(program: str, certificate: Certificate) -> Iterator[Pair]:
    """A master, a replica and a sentinel, which speak nothing but TLS with anybody."""
    with watched_pair(program=program, certificate=certificate) as started:
        yield started


@pytest.fixture(scope="module")
def strict(certificate: Certificate) -> Certificate:
    """The same for servers that let nobody in who shows no certificate."""
    return Certificate(certificate.file, certificate.key, must_show=True)


@pytest.fixture(scope="module")
def tls_nodes(program: str, strict: Certificate) -> Iterator[list[Server]]:
    """A cluster in which everybody shows a certificate to everybody."""
    with cluster(program=program, certificate=strict) as started:
        yield started


def trusting(certificate: Certificate) -> str:
    return f"ssl_ca_certs={certificate.file}"


def with_certificate(certificate: Certificate) -> str:
    own = f"ssl_certfile={certificate.file}&ssl_keyfile={certificate.key}"
    return f"{trusting(certificate)}&{own}"


def cluster_url(nodes: list[Server]) -> str:
    return "rediss+cluster://" + ",".join(node.seed for node in nodes)


# Sentinels.


async def test_sentinel_and_master_are_reached_over_tls(
    make_link: MakeLink, pair: Pair, certificate: Certificate, name: str
) -> None:
    """One set of options serves both; the certificates of both are checked."""
    master, _, sentinel = pair
    url = f"rediss+sentinel://{sentinel.seed}/shop?{trusting(certificate)}"
    found = await topology_of(url).locate("key")
    assert (found.port, found.tls is not None) == (master.port, True)
    link = make_link(url)
    assert [await count(link, name) for _ in range(3)] == [1, 2, 3]
    assert master.ask("GET", name) == b"3"


@pytest.mark.parametrize("scheme", ["rediss+sentinel", "redis+sentinel"])
async def test_a_sentinel_that_is_not_trusted_is_not_believed(
    pair: Pair, certificate: Certificate, scheme: str
) -> None:
    """Neither is one that wants TLS and does not get it."""
    _, _, sentinel = pair
    with pytest.raises(Unreachable):
        await topology_of(f"{scheme}://{sentinel.seed}/shop").locate("key")


@ONE_LOOP_WILL_DO
async def test_a_failover_over_tls(
    make_link: MakeLink, program: str, certificate: Certificate, name: str
) -> None:
    """The master dies under load; the replica serves, over TLS like its master."""
    with watched_pair(program=program, certificate=certificate) as (master, replica, sentinel):
        url = f"rediss+sentinel://{sentinel.seed}/shop?{trusting(certificate)}"
        load = Load(make_link(url, deadline=0.25), lambda: (name,))
        async with load.running():
            await load.more()
            await elsewhere(master.kill)
            await elsewhere(lambda: until(lambda: replica.ask("ROLE")[0] == b"master"))
            await load.more()
        assert int(replica.ask("GET", name)) > 50


# Certificates that name no addresses.


@pytest.fixture
def named(tmp_path: Path) -> Certificate:
    """A certificate for a name only, as most are."""
    file, _ = throwaway_certificate(tmp_path)
    return Certificate(file, tmp_path / "key.pem")


@ONE_LOOP_WILL_DO
async def test_a_sentinel_that_names_an_address_where_certificates_have_names(
    make_link: MakeLink, program: str, named: Certificate, name: str
) -> None:
    """A store error that says so, unless the URL says that names are not to be checked."""
    with watched_pair(program=program, certificate=named) as (_, _, sentinel):
        url = f"rediss+sentinel://localhost:{sentinel.port}/shop?{trusting(named)}"
        fault = await fault_of(make_link(url), name)
        assert "certificate is not valid for '127.0.0.1'" in str(fault)
        assert await count(make_link(f"{url}&ssl_check_hostname=false"), name) == 1


# Clusters.


async def test_the_nodes_of_a_cluster_are_reached_over_tls(
    make_link: MakeLink, tls_nodes: list[Server], strict: Certificate, name: str
) -> None:
    """Whoever owns the slot, and with our own certificate shown to each."""
    for tag in (f"{name}-{i}" for i in range(6)):
        link = make_link(f"{cluster_url(tls_nodes[:1])}?{with_certificate(strict)}")
        assert [await count(link, f"{{{tag}}}:a", f"{{{tag}}}:b") for _ in range(3)] == [1, 2, 3]


async def test_redirections_are_followed_over_tls(
    make_link: MakeLink, tls_nodes: list[Server], strict: Certificate, name: str
) -> None:
    """ASK and MOVED name the port for TLS to who asks over TLS."""
    link = make_link(f"{cluster_url(tls_nodes)}?{with_certificate(strict)}")
    key = f"{{{name}}}:a"
    assert await count(link, key) == 1
    with moving(tls_nodes, name) as (migrate, _, _):
        migrate(key)
        assert await count(link, key) == 2
    assert [await count(link, key) for _ in range(2)] == [3, 4]


async def test_a_cluster_lets_in_nobody_without_a_certificate(
    tls_nodes: list[Server], strict: Certificate
) -> None:
    """And we say nothing to one that we do not trust."""
    for query in (trusting(strict), "ssl_cert_reqs=required"):
        with pytest.raises(StoreError):
            await topology_of(f"{cluster_url(tls_nodes)}?{query}").locate("key")


@ONE_LOOP_WILL_DO
async def test_a_cluster_whose_certificates_have_names(
    make_link: MakeLink, program: str, named: Certificate, name: str
) -> None:
    """Nodes that announce their names are known by them."""
    names = ["--cluster-announce-hostname", "localhost"]
    names += ["--cluster-preferred-endpoint-type", "hostname"]
    with cluster(*names, program=program, certificate=named) as started:
        url = f"rediss+cluster://localhost:{started[0].port}?{trusting(named)}"
        for tag in (f"{name}-{i}" for i in range(6)):
            assert await count(make_link(url), f"{{{tag}}}:a") == 1
