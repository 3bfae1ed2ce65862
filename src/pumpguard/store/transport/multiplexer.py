"""All calls of one event loop to one server, over one connection, and a second one in need."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from pumpguard.store.transport.calls import Deadlines, Overloaded
from pumpguard.store.transport.connection import Connection
from pumpguard.store.transport.endpoint import Endpoint
from pumpguard.store.transport.resp import Word

MAX_IN_FLIGHT = 1000  # by Little's law 50,000 calls a second at 20 ms each

AGAIN_AFTER = 1.0
"""Seconds after which a silent server may be asked over a second connection anew: many processes
whose store is slow must not add to its work."""


class Multiplexer:
    """One event loop's connection to one server, shared by all its calls.

    It connects when first needed, and anew after a fault. More than ``max_in_flight`` calls at a
    time fail at once. ``on_lost`` is called when the connection ends, even an idle one.

    When the server was silent for a whole deadline, it may be slow, or a firewall has forgotten the
    connection. So a second one asks it for the time. If that is answered first, later calls take
    the second one; if the first connection answers, the second one is closed. Calls in flight stay
    where they are, and nothing is sent twice.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        deadline: float = 0.05,
        connect_deadline: float = 1.0,
        max_in_flight: int = MAX_IN_FLIGHT,
        on_lost: Callable[[Multiplexer], None] | None = None,
    ) -> None:
        self.endpoint = endpoint
        self._deadlines = Deadlines(deadline, connect_deadline)
        self._max_in_flight = max_in_flight
        self._on_lost = on_lost
        self._live: Connection | None = None
        self._second: Connection | None = None
        self._second_from = 0.0
        self._leaving: set[Connection] = set()

    @property
    def busy(self) -> bool:
        return bool(self._live or self._second or self._leaving)

    def ask(self, command: tuple[Word, ...], asking: bool = False) -> asyncio.Future[Any]:
        """Like `Connection.ask`. Raises `Overloaded`."""
        live = self._live
        if live is None:
            live = self._live = self._second or self._connection()
            self._second = None
        if len(live.pending) + len(live.dropped) >= self._max_in_flight:
            raise Overloaded(f"{self.endpoint.where}: {live.in_flight} calls are in flight")
        return live.ask(command, asking)

    def renew(self) -> None:
        """Let calls in flight finish where they are; the next one opens a new connection."""
        live, self._live = self._live, None
        if live is not None:
            self._leaving.add(live)
            live.retire()

    def close(self) -> tuple[Connection, ...]:
        """Fail the calls in flight at once; the connections are still to be awaited."""
        connections = (*self._leaving, *filter(None, [self._live, self._second]))
        for each in connections:
            each.close()
        return connections

    async def aclose(self) -> None:
        """Close all connections; calls in flight fail. It may be used again."""
        await asyncio.gather(*(each.aclose() for each in self.close()))

    def _connection(self, *first: tuple[Word, ...]) -> Connection:
        return Connection(self.endpoint, self._deadlines, self._forget, self._ask_again, *first)

    def _ask_again(self) -> None:
        """A call was late, and the server has said nothing since: does it answer another one?"""
        now = asyncio.get_running_loop().time()
        if self._second is None and now >= self._second_from:
            self._second_from = now + AGAIN_AFTER
            self._second = second = self._connection(("TIME",))
            second.opening.add_done_callback(lambda _: self._answered(second))

    def _answered(self, second: Connection) -> None:
        if self._second is not second:  # it has failed, or calls use it already
            return
        self._second = None
        if self._live is None or self._live.silent:
            self.renew()
            self._live = second
        else:
            second.close()

    def _forget(self, connection: Connection) -> None:
        self._leaving.discard(connection)
        if connection is self._second:
            self._second = None
        if connection is self._live:
            self._live = None
            if self._on_lost is not None:
                self._on_lost(self)
