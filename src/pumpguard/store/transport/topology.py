"""Who to talk to: one server, whom sentinels call the master, or who owns a cluster's slot."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from typing import Protocol, TypeAlias
from urllib.parse import parse_qsl, urlencode, urlsplit

from redis.crc import key_slot

from pumpguard.errors import PolicyError
from pumpguard.store.transport.endpoint import Endpoint
from pumpguard.store.transport.faults import Unreachable
from pumpguard.store.transport.search import Rank, latest, told

Key: TypeAlias = str | bytes
Masters: TypeAlias = dict[tuple[int, int], Endpoint]

MOST_ASKED = 8
"""Nodes that one search asks at most, all at the same time."""


class Topology(Protocol):
    """Finds the server that may write a key."""

    async def locate(self, key: Key) -> Endpoint:
        """Ask whoever knows. Raises `StoreError` when nobody does in time."""
        ...


def topology_of(url: str) -> Topology:
    """The topology that a URL's scheme names. Raises `PolicyError`."""
    scheme = url.partition("://")[0]
    if scheme.endswith("+sentinel"):
        return Sentinels(url)
    if scheme.endswith("+cluster"):
        return Cluster(url)
    return Standalone(url)


class Standalone:
    """``redis://``, ``rediss://`` or ``unix://``: always the same server."""

    def __init__(self, url: str) -> None:
        self._endpoint = Endpoint.of(url)

    async def locate(self, key: Key) -> Endpoint:
        """Where the URL says."""
        return self._endpoint


class Sentinels:
    """``redis+sentinel://[user:password@]host:port,host:port/service[/db]``.

    User, password and database are the servers'; the sentinels' own are the options
    ``sentinel_username`` and ``sentinel_password``. With ``rediss+sentinel`` both speak TLS.
    """

    def __init__(self, url: str) -> None:
        login, seeds, path, query = _parts(url, 26379)
        self._service, _, database = path.partition("/")
        if not self._service:
            raise PolicyError("store", "redis+sentinel://host:port,host:port/service")
        options = dict(parse_qsl(query))
        user, password = (options.pop(f"sentinel_{own}", None) for own in ("username", "password"))
        self._server = Endpoint.of(f"{login}/{database}?{urlencode(options)}")
        own = replace(self._server, db=0, username=user, password=password)
        self._seeds = [replace(own, host=host, port=port) for host, port in seeds]

    async def locate(self, key: Key) -> Endpoint:
        """The master, by the sentinel with the latest word of those that name a real one."""
        checks: dict[Endpoint, asyncio.Task[None]] = {}
        return await latest(self._ask(seed, checks) for seed in self._seeds)

    async def _ask(
        self, seed: Endpoint, checks: dict[Endpoint, asyncio.Task[None]]
    ) -> tuple[Rank, Endpoint]:
        [said] = await told(seed, ("SENTINEL", "MASTER", self._service))
        try:
            state = _pairs(said)
            master = replace(self._server, host=state["ip"], port=int(state["port"]))
            flags, epoch = state["flags"].split(","), int(state["config-epoch"])
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            raise Unreachable(f"{seed.where} knows no such master: {said!s:.200}") from error
        if not {"s_down", "o_down"}.isdisjoint(flags):
            raise Unreachable(f"{seed.where} holds {master.where} for down")
        if master not in checks:  # one question is enough, however many sentinels name it
            checks[master] = asyncio.create_task(_is_master(master))
        await checks[master]
        return (True, epoch), master


async def _is_master(server: Endpoint) -> None:
    """Raise `StoreError` for a replica. ``HELLO`` says so without a right of its own; who refuses
    even that is believed, because the first call will tell."""
    [said] = await told(server, ("HELLO", 2))
    if isinstance(said, list) and _pairs(said).get("role", "master") != "master":
        raise Unreachable(f"{server.where} is a replica")


def _pairs(said: list[bytes]) -> dict[str, str]:
    """Names and values in turn; numbers and lists among them are of no use to us."""
    words = [word.decode(errors="replace") if isinstance(word, bytes) else "" for word in said]
    return dict(zip(words[::2], words[1::2], strict=False))


class Cluster:
    """``redis+cluster://[user:password@]host:port,host:port``.

    All keys of a policy share a hash tag, so one node owns them all and one script sees them all.
    The masters seen last are asked beside the seeds, should those have moved on.
    """

    def __init__(self, url: str) -> None:
        login, seeds, path, query = _parts(url, 6379)
        if path:
            raise PolicyError("store", "a cluster without a database number", path)
        node = Endpoint.of(f"{login}/?{query}")
        self._seeds = [replace(node, host=host, port=port) for host, port in seeds]
        self._seen: list[Endpoint] = []

    async def locate(self, key: Key) -> Endpoint:
        """The master of the key's slot, by the node with the latest view."""
        asked = list(dict.fromkeys([*self._seeds, *self._seen]))[:MOST_ASKED]
        masters = await latest(_view(node) for node in asked)
        self._seen = list(dict.fromkeys(masters.values()))
        slot = key_slot(key if isinstance(key, bytes) else key.encode())
        for (first, last), master in masters.items():
            if first <= slot <= last:
                return master
        raise Unreachable(f"no node of the cluster owns slot {slot}")


async def _view(node: Endpoint) -> tuple[Rank, Masters]:
    """Ranges of slots and who owns them, as one node sees it."""
    rows, info = await told(node, ("CLUSTER", "SLOTS"), ("CLUSTER", "INFO"))
    try:
        masters = {
            (first, last): elsewhere(node, host.decode() if host else "", port)
            for first, last, (host, port, *_), *_ in rows
            if host != b"?"  # the node has lost track of that one
        }
    except (ValueError, TypeError, AttributeError) as error:
        raise Unreachable(f"{node.where} speaks no CLUSTER SLOTS: {rows!s:.200}") from error
    return _rank(info), masters


def _rank(info: object) -> Rank:
    """Epochs grow in a minority too, with each election that nobody can win there; but it knows
    that it is one, and its state is not ok."""
    if not isinstance(info, bytes):  # it may have no right to ask
        return False, 0
    epoch = re.search(rb"cluster_current_epoch:(\d+)", info)
    return b"cluster_state:ok" in info, int(epoch[1]) if epoch else 0


def elsewhere(node: Endpoint, host: str, port: int) -> Endpoint:
    """The server that a node points at; without a host it means its own."""
    return replace(node, host=host or node.host, port=port)


def _parts(url: str, port: int) -> tuple[str, list[tuple[str, int]], str, str]:
    """A URL with several hosts: how a URL for one would start, the hosts, path and query."""
    scheme, _, rest = url.partition("://")
    said = urlsplit(f"//{rest}")
    access, at, hosts = said.netloc.rpartition("@")
    try:
        seeds = [urlsplit(f"//{host}") for host in hosts.split(",")]
        found = [(seed.hostname or "", seed.port or port) for seed in seeds]
    except ValueError:
        found = []
    if not all(host for host, _ in found) or not found:
        raise PolicyError("store", "host:port,host:port after ://")
    plain = scheme.partition("+")[0]
    return f"{plain}://{access}{at}localhost", found, said.path.strip("/"), said.query
