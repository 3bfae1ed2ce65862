"""One event loop's few connections to one server, shared by all its calls."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from pumpguard.store.transport.connection import Connection, Terms
from pumpguard.store.transport.endpoint import Endpoint
from pumpguard.store.transport.faults import Overloaded
from pumpguard.store.transport.resp import FASTEST, Codec, Word


class Multiplexer:
    """Sends calls from many tasks down one connection (or a few) and hands back their replies.

    Calls made in one tick of the event loop leave in one write, or in one per eight. A call that
    has no reply within ``deadline`` seconds fails, and its connection with it. Nothing is ever
    sent twice. More than ``max_in_flight`` calls at a time fail at once: by Little's law, 1000
    are 50,000 a second at 1 ms each, with room for bursts twenty times as long.

    Connections open when first needed. All calls wait for the same attempt, each no longer than
    its own deadline; the attempt itself has ``connect_deadline`` seconds, because one that is
    begun anew every 50 ms would never get through a slow resolver and a TLS handshake.
    ``on_lost`` is told when the last connection has ended, be it an idle one.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        deadline: float = 0.05,
        connect_deadline: float = 1.0,
        connections: int = 1,
        max_in_flight: int = 1000,
        codec: Codec = FASTEST,
        on_lost: Callable[[Multiplexer], None] | None = None,
    ) -> None:
        self.endpoint = endpoint
        self._terms = Terms(deadline, max(deadline, connect_deadline), codec)
        self._wanted = connections
        self._room = max(1, max_in_flight // connections)
        self._on_lost = on_lost
        self._live: list[Connection] = []
        self._leaving: set[Connection] = set()

    @property
    def busy(self) -> bool:
        """Whether it holds connections."""
        return bool(self._live or self._leaving)

    async def call(self, *command: Word) -> Any:
        """Send a command and await its reply. Raises `StoreError`."""
        return await self.ask(command)

    def ask(self, command: tuple[Word, ...], asking: bool = False) -> asyncio.Future[Any]:
        """The same without a coroutine around it, for who makes many calls.

        ``asking`` sends ``ASKING`` ahead, which opens a cluster's node for the next command only.
        """
        connection = self._choose()
        return connection.ask_asking(command) if asking else connection.ask(command)

    def renew(self) -> None:
        """Let calls in flight finish where they are, and open new connections for those to come."""
        self._leaving.update(self._live)
        leaving, self._live = self._live, []
        for connection in leaving:
            connection.retire()

    async def aclose(self) -> None:
        """Close all connections; calls in flight fail. It may be used again."""
        await asyncio.gather(*(each.aclose() for each in self.close()))

    def close(self) -> tuple[Connection, ...]:
        """The part that needs no waiting: nobody who waits can be cancelled before it is done."""
        connections = (*self._live, *self._leaving)
        for each in connections:
            each.close()
        return connections

    def _choose(self) -> Connection:
        live = self._live
        if not live:
            return self._connect()
        chosen = live[0] if self._wanted == 1 else self._least_busy()
        if len(chosen.pending) >= self._room:
            raise Overloaded(f"{self.endpoint.where}: {len(chosen.pending)} calls are in flight")
        return chosen

    def _least_busy(self) -> Connection:
        chosen = min(self._live, key=lambda each: len(each.pending))
        return self._connect() if chosen.pending and len(self._live) < self._wanted else chosen

    def _connect(self) -> Connection:
        connection = Connection(self.endpoint, self._terms, self._forget)
        self._live.append(connection)
        return connection

    def _forget(self, connection: Connection) -> None:
        self._leaving.discard(connection)
        if connection in self._live:
            self._live.remove(connection)
            if self._on_lost is not None and not self._live:
                self._on_lost(self)
