"""One event loop's part of a link: the server in use, and what faults say about it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from redis.exceptions import AskError, ClusterDownError, MovedError, NoScriptError, ReadOnlyError

from pumpguard.errors import StoreError
from pumpguard.store.transport.endpoint import Endpoint
from pumpguard.store.transport.faults import ErrorReply, Late, Lost, Unreachable
from pumpguard.store.transport.multiplexer import Multiplexer
from pumpguard.store.transport.topology import Key, Topology, elsewhere

Detour = tuple[Multiplexer, bool]
"""Where a call may be made again, and whether behind ``ASKING``."""


class Lane:
    """Knows one server at a time, in ``line``, or none until the next search is over."""

    def __init__(self, topology: Topology, make_line: Callable[..., Multiplexer]) -> None:
        self.line: Multiplexer | None = None
        self._topology = topology
        self._make_line = make_line
        self._lines: dict[Endpoint, Multiplexer] = {}
        self._search: asyncio.Task[Endpoint] | None = None

    async def find(self, key: Key) -> Multiplexer:
        """The server for a key; all who wait share one search. Raises `StoreError`."""
        if self.line is not None:
            return self.line
        if self._search is None:
            self._search = asyncio.create_task(self._topology.locate(key))
            self._search.add_done_callback(self._found)
        search = self._search
        await asyncio.wait({search})
        if search.cancelled():
            raise Unreachable("the store was closed")
        if (error := search.exception()) is not None:
            raise Unreachable(str(error)) from error
        return self.line or self._to(search.result())

    def after(self, line: Multiplexer, fault: StoreError) -> Detour | None:
        """Learn from a fault. If the call has certainly not run: where it may be made again."""
        met = fault.reply if isinstance(fault, ErrorReply) else fault
        match met:
            case NoScriptError():
                return line, False
            case MovedError():
                self._leave(line)
                owner = self._to(elsewhere(line.endpoint, met.host, met.port))
                self.line = self.line or owner  # unless a later word has come meanwhile
                return owner, False
            case AskError():
                return self._to(elsewhere(line.endpoint, met.host, met.port)), True
            case ReadOnlyError() | ClusterDownError():  # a replica, or cut off from the others
                self._leave(line)
            case Late() | Lost() | Unreachable():
                self._lost(line)
        return None

    async def aclose(self) -> None:
        """Call off the search and close all connections; whoever waits gets a `StoreError`."""
        if self._search is not None:
            self._search.cancel()
            await asyncio.wait({self._search})
        self.line = None
        closing = [each for line in self._lines.values() for each in line.close()]
        await asyncio.gather(*(each.aclose() for each in closing))

    def _found(self, search: asyncio.Task[Endpoint]) -> None:
        self._search = None
        if not search.cancelled() and search.exception() is None:
            self.line = self.line or self._to(search.result())

    def _leave(self, line: Multiplexer) -> None:
        """Its connections are sound and lead to the wrong place: a name may mean another now."""
        if self.line is line:
            self.line = None
            line.renew()

    def _to(self, endpoint: Endpoint) -> Multiplexer:
        line = self._lines.get(endpoint)
        if line is None:
            self._lines = {
                where: known
                for where, known in self._lines.items()
                if known.busy or known is self.line
            }
            line = self._lines[endpoint] = self._make_line(endpoint, on_lost=self._lost)
        return line

    def _lost(self, line: Multiplexer) -> None:
        """Search again before the next call. Also called when an idle connection ends, because
        that is how a failover looks to whoever has nothing to say at the time."""
        if self.line is line:
            self.line = None
