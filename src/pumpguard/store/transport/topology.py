"""Who to talk to: one server, whom sentinels call the master, or who owns a cluster's slot."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from dataclasses import replace
from typing import Any, Protocol, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff
from redis.crc import key_slot
from redis.exceptions import RedisError

from pumpguard.errors import PolicyError, StoreError
from pumpguard.store.transport.endpoint import Endpoint
from pumpguard.store.transport.faults import Unreachable
from pumpguard.store.transport.multiplexer import Multiplexer

T = TypeVar("T")

Key = str | bytes

PATIENCE = 1.0
"""Seconds that a search may take. It may outlive the call that began it: the next one profits."""

MOST_ASKED = 8
"""Nodes that one search asks at most, all at the same time: the first good answer counts."""


CLIENT: dict[str, Any] = {
    "socket_timeout": PATIENCE,
    "socket_connect_timeout": PATIENCE,
    "retry": Retry(NoBackoff(), 0),
    "protocol": 2,
    "driver_info": None,
}
"""How redis-py talks to sentinels: once, and without introducing itself."""


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
        own = {name: options.pop(f"sentinel_{name}", None) for name in ("username", "password")}
        self._seeds = seeds
        server = f"{login}/{database}?{urlencode(options)}"
        self._server = Endpoint.of(server)
        self._client = {**own, **_tls_options(server)}

    async def locate(self, key: Key) -> Endpoint:
        """The server that the first sentinel to answer holds for the master."""
        host, port = await _first(self._ask(host, port) for host, port in self._seeds)
        return replace(self._server, host=host, port=port)

    async def _ask(self, host: str, port: int) -> tuple[str, int]:
        options = {**self._client, **CLIENT}
        sentinel = Sentinel([(host, port)], sentinel_kwargs=options)  # type: ignore[no-untyped-call]
        try:
            found: tuple[str, int] = await sentinel.discover_master(self._service)
        except (RedisError, OSError) as error:
            raise Unreachable(f"sentinel {host}:{port}: {type(error).__name__}") from error
        finally:
            await sentinel.aclose()
        return found


def _tls_options(url: str) -> dict[str, Any]:
    """What redis-py's client wants to hear, to speak to sentinels as we speak to servers."""
    if not url.startswith("rediss:"):
        return {}
    said = dict(parse_url(url))
    return {"ssl": True, **{name: said[name] for name in said if name.startswith("ssl_")}}


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
        """The master of the key's slot, by the first node that answers."""
        asked = list(dict.fromkeys([*self._seeds, *self._seen]))[:MOST_ASKED]
        masters = await _first(_masters(node) for node in asked)
        self._seen = list(dict.fromkeys(masters.values()))
        slot = key_slot(key if isinstance(key, bytes) else key.encode())
        for (first, last), master in masters.items():
            if first <= slot <= last:
                return master
        raise Unreachable(f"no node of the cluster owns slot {slot}")


async def _masters(node: Endpoint) -> dict[tuple[int, int], Endpoint]:
    """Ranges of slots and who owns them, as one node sees it."""
    line = Multiplexer(node, deadline=PATIENCE)
    try:
        rows = await line.call("CLUSTER", "SLOTS")
        return {
            (first, last): elsewhere(node, host.decode() if host else "", port)
            for first, last, (host, port, *_), *_ in rows
            if host != b"?"  # the node has lost track of that one
        }
    except (ValueError, TypeError, AttributeError) as error:
        raise Unreachable(f"{node.where} speaks no CLUSTER SLOTS") from error
    finally:
        await line.aclose()


def elsewhere(node: Endpoint, host: str, port: int) -> Endpoint:
    """The server that a node points at; without a host it means its own."""
    return replace(node, host=host or node.host, port=port)


async def _first(attempts: Iterable[Coroutine[Any, Any, T]]) -> T:
    """The first good answer; the other attempts are called off."""
    tasks = [asyncio.create_task(attempt) for attempt in attempts]
    faults: list[str] = []
    try:
        async with asyncio.timeout(PATIENCE):
            for answer in asyncio.as_completed(tasks):
                try:
                    return await answer
                except StoreError as fault:
                    faults.append(str(fault))
    except TimeoutError:
        faults.append(f"the others are silent for {PATIENCE:g} s")
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    raise Unreachable("nobody knows where to go: " + "; ".join(faults))


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
