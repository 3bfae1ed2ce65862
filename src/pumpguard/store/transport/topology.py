"""Finds the server that may write a key: the one of the URL, the master that sentinels name, or the
owner of a cluster's slot.

Sentinels and cluster nodes are all asked at once. The answer with the highest rank counts, because
a node that was cut off from the others is often the first to answer, and says what was true before.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine, Iterable
from dataclasses import replace
from time import monotonic
from typing import Any, Protocol, TypeAlias, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from redis.crc import key_slot

from pumpguard.errors import PolicyError, StoreError
from pumpguard.store.scripts import Word
from pumpguard.store.transport.calls import ErrorReply, Unreachable
from pumpguard.store.transport.connection import Connection
from pumpguard.store.transport.endpoint import Deadlines, Endpoint

Key: TypeAlias = str | bytes
Masters: TypeAlias = dict[tuple[int, int], Endpoint]
"""By the first and last slot that each owns."""

Rank: TypeAlias = tuple[bool, int]
"""Whether who answered is in touch with the others, and the epoch that it knows."""

T = TypeVar("T")

PATIENCE = 1.0
"""Seconds that a search may take. It goes on when the call that began it has failed: the next call
uses its result."""

SETTLE = 0.02
"""Seconds that a search waits after the first good answer for one of a higher rank."""

MAX_ASKED = 8
"""Nodes that one search asks at most, all at the same time."""


class Topology(Protocol):
    """Finds the server that may write a key."""

    async def locate(self, key: Key) -> Endpoint:
        """Ask whoever knows. Raises `StoreError` when nobody does in time."""


def topology_of(url: str) -> Topology:
    """The topology that a URL's scheme names; ``valkey…`` is ``redis…``. Raises `PolicyError`."""
    url = f"redis{url[6:]}" if url.startswith("valkey") else url
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
        """The master by the sentinel with the latest epoch, of those that name a real master."""
        return await latest(map(self._ask, self._seeds))

    async def _ask(self, seed: Endpoint) -> tuple[Rank, Endpoint]:
        [reply] = await ask_all(seed, ("SENTINEL", "MASTER", self._service))
        try:
            state = _pairs(reply)
            master = replace(self._server, host=state["ip"], port=int(state["port"]))
            flags, epoch = state["flags"].split(","), int(state["config-epoch"])
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            raise Unreachable(f"{seed.where} knows no such master: {reply!s:.200}") from error
        if not {"s_down", "o_down"}.isdisjoint(flags):
            raise Unreachable(f"{seed.where} says that {master.where} is down")
        # ``HELLO`` needs no right of its own; one that refuses even that is taken for a master,
        # because the first call will show.
        [reply] = await ask_all(master, ("HELLO", 2))
        if isinstance(reply, list) and _pairs(reply).get("role", "master") != "master":
            raise Unreachable(f"{master.where} is a replica")
        return (True, epoch), master


def _pairs(reply: list[bytes]) -> dict[str, str]:
    """A flat list of names and values as a dict; values that are numbers or lists are dropped."""
    words = [word.decode(errors="replace") if isinstance(word, bytes) else "" for word in reply]
    return dict(zip(words[::2], words[1::2], strict=False))


class Cluster:
    """``redis+cluster://[user:password@]host:port,host:port``.

    All keys of a policy share a hash tag, so one node owns them all and one script sees them all.
    The masters found last are asked too, in case the URL's nodes are gone.
    """

    def __init__(self, url: str) -> None:
        login, seeds, path, query = _parts(url, 6379)
        if path:
            raise PolicyError("store", "a cluster without a database number", path)
        node = Endpoint.of(f"{login}/?{query}")
        self._seeds = [replace(node, host=host, port=port) for host, port in seeds]
        self._seen: list[Endpoint] = []

    async def locate(self, key: Key) -> Endpoint:
        """The master of the key's slot, as the node with the latest epoch sees it."""
        asked = list(dict.fromkeys([*self._seeds, *self._seen]))[:MAX_ASKED]
        masters = await latest(map(_view, asked))
        self._seen = list(dict.fromkeys(masters.values()))
        slot = key_slot(key if isinstance(key, bytes) else key.encode())
        for (first, last), master in masters.items():
            if first <= slot <= last:
                return master
        raise Unreachable(f"no node of the cluster owns slot {slot}")


async def _view(node: Endpoint) -> tuple[Rank, Masters]:
    """Who owns which slots, as one node sees it."""
    rows, info = await ask_all(node, ("CLUSTER", "SLOTS"), ("CLUSTER", "INFO"))
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
    """A minority that is cut off raises its epoch too, by elections that nobody can win; but its
    state is not ok, so that comes first."""
    if not isinstance(info, bytes):  # it may have no right to ask
        return False, 0
    epoch = re.search(rb"cluster_current_epoch:(\d+)", info)
    return b"cluster_state:ok" in info, int(epoch[1]) if epoch else 0


def elsewhere(node: Endpoint, host: str, port: int) -> Endpoint:
    """The server that a node redirects to; an empty host means the node's own."""
    return replace(node, host=host or node.host, port=port)


def _parts(url: str, port: int) -> tuple[str, list[tuple[str, int]], str, str]:
    """A URL with several hosts, as the start of a URL for one, the hosts, the path, the query."""
    scheme, _, rest = url.partition("://")
    parts = urlsplit(f"//{rest}")
    access, at, hosts = parts.netloc.rpartition("@")
    try:
        seeds = [urlsplit(f"//{host}") for host in hosts.split(",")]
        found = [(seed.hostname or "", seed.port or port) for seed in seeds]
    except ValueError:
        found = []
    if not all(host for host, _ in found) or not found:
        raise PolicyError("store", "host:port,host:port after ://")
    plain = scheme.partition("+")[0]
    return f"{plain}://{access}{at}localhost", found, parts.path.strip("/"), parts.query


async def ask_all(
    server: Endpoint, *commands: tuple[Word, ...], patience: float = PATIENCE
) -> list[Any]:
    """The replies to some commands; error replies stand among them. Raises other `StoreError`s."""
    connection = Connection(server, Deadlines(patience), lambda _: None)
    try:
        replies = await asyncio.gather(*map(connection.ask, commands), return_exceptions=True)
    finally:
        await connection.aclose()
    for reply in replies:
        if isinstance(reply, BaseException) and not isinstance(reply, ErrorReply):
            raise reply
    return replies


async def latest(attempts: Iterable[Coroutine[Any, Any, tuple[Rank, T]]]) -> T:
    """Of the good answers, the one with the highest rank; the other attempts are cancelled."""
    waiting = tasks = {asyncio.create_task(attempt) for attempt in attempts}
    found: list[tuple[Rank, T]] = []
    faults: list[str] = []
    until = monotonic() + PATIENCE
    try:
        while waiting and (left := until - monotonic()) > 0:
            done, waiting = await asyncio.wait(
                waiting, timeout=left, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                try:
                    found.append(task.result())
                except StoreError as fault:
                    faults.append(str(fault))
            if found:
                until = min(until, monotonic() + SETTLE)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    if found:
        return max(found, key=lambda answer: answer[0])[1]
    if waiting:
        faults.append(f"the others are silent for {PATIENCE:g} s")
    raise Unreachable("nobody knows where to go: " + "; ".join(faults))
