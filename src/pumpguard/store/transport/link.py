"""From a script to a connection: which server owns the keys, and one trip there.

`Link` is what stores use. It has a `Router` per event loop, which knows the server in use and what
a fault says about it, and a router has a `Multiplexer` per server, through which all calls go.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from threading import Lock
from time import monotonic
from typing import Any

from redis.exceptions import AskError, ClusterDownError, MovedError, NoScriptError, ReadOnlyError

from pumpguard.errors import StoreError
from pumpguard.store.scripts import Call, Word
from pumpguard.store.transport.calls import ErrorReply, Late, Lost, Overloaded, Unreachable, in_time
from pumpguard.store.transport.connection import Connection
from pumpguard.store.transport.endpoint import Deadlines, Endpoint
from pumpguard.store.transport.functions import Functions
from pumpguard.store.transport.topology import Key, Topology, elsewhere, topology_of

MAX_IN_FLIGHT = 1000  # by Little's law 50,000 calls a second at 20 ms each
AGAIN_AFTER = 1.0  # seconds until a silent server is asked anew, which may be overloaded


class Multiplexer:
    """One event loop's connection to one server, shared by all its calls.

    It connects when first needed, and anew after a fault. More than ``max_in_flight`` calls at a
    time fail at once. ``on_lost`` is called when the connection ends, even an idle one.
    A server that is silent may be slow, or a firewall has forgotten the connection. So a second one
    asks for the time; later calls take it if it is answered first. Nothing is sent twice.
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
        self.endpoint, self.functions = endpoint, Functions()
        deadlines = Deadlines(deadline, connect_deadline)
        self._open = partial(Connection, endpoint, deadlines, self._forget, self._ask_again)
        self._max_in_flight, self._on_lost = max_in_flight, on_lost
        self._live: Connection | None = None
        self._second: Connection | None = None
        self._second_from = 0.0
        self._leaving: set[Connection] = set()

    @property
    def busy(self) -> bool:
        return bool(self._live or self._second or self._leaving)

    def ask(self, command: tuple[Word, ...], asking: bool = False) -> asyncio.Future[Any]:
        """Like `Connection.ask`. Raises `Overloaded`."""
        live = self._live = self._live or self._second or self._open()
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

    def _ask_again(self) -> None:
        """A call was late, and the server has said nothing since: does it answer another one?"""
        now = asyncio.get_running_loop().time()
        if self._second is None and now >= self._second_from:
            self._second_from = now + AGAIN_AFTER
            self._second = second = self._open(("TIME",))
            second.opening.add_done_callback(lambda _: self._answered(second))

    def _answered(self, second: Connection) -> None:
        if self._second is not second:  # it has failed
            return
        self._second = None
        if self._live is None or self._live.silent:
            self.renew()
            self._live = second
        elif self._live is not second:
            second.close()

    def _forget(self, connection: Connection) -> None:
        self._leaving.discard(connection)
        if connection is self._second:
            self._second = None
        if connection is self._live:
            self._live = None
            if self._on_lost is not None:
                self._on_lost(self)


class Router:
    """One event loop's part of a link. ``current`` is the server in use, or None: search first."""

    def __init__(self, topology: Topology, options: dict[str, Any]) -> None:
        self.current: Multiplexer | None = None
        self._topology = topology
        self._options = options
        self._servers: dict[Endpoint, Multiplexer] = {}
        self._search: asyncio.Task[Endpoint] | None = None

    async def run(self, server: Multiplexer, call: Call, until: float) -> Any:
        """One trip, and a second one if the server says that the first did not run."""
        script, words = call.script, (len(call.keys), *call.keys, *call.arguments)
        function = server.functions.here.get(script.sha)
        try:
            if function is not None:
                return await server.ask(("FCALL", function, *words))
            return await server.functions.by_hash(script, server.ask, *words)
        except StoreError as fault:
            refused = function is not None and server.functions.refused(script, fault)
            again = (server, False) if refused else self._after(server, fault)
            if again is None:
                raise
        server, asking = again
        try:
            async with in_time(until, Late):  # with the script's text: it may not have it either
                return await server.ask(("EVAL", script.body, *words), asking)
        except StoreError as fault:
            self._after(server, fault)
            raise

    async def find(self, key: Key) -> Multiplexer:
        """The server for a key; all who wait share one search. Raises `StoreError`."""
        if self.current is not None:
            return self.current
        if self._search is None:
            self._search = asyncio.create_task(self._topology.locate(key))
            self._search.add_done_callback(self._found)
        search = self._search
        await asyncio.wait({search})
        if search.cancelled():
            raise Unreachable("the store was closed")
        if (error := search.exception()) is not None:
            raise Unreachable(str(error)) from error
        return self.current or self._at(search.result())

    async def aclose(self) -> None:
        """Cancel the search and close all connections; whoever waits gets a `StoreError`."""
        if self._search is not None:
            self._search.cancel()
            await asyncio.wait({self._search})
        self.current = None
        closing = [each for server in self._servers.values() for each in server.close()]
        await asyncio.gather(*(each.aclose() for each in closing))

    def _after(self, server: Multiplexer, fault: StoreError) -> tuple[Multiplexer, bool] | None:
        """Learn from a fault. If the call has certainly not run: where to make it again, and
        whether behind ``ASKING``."""
        met = fault.reply if isinstance(fault, ErrorReply) else fault
        match met:
            case NoScriptError():
                return server, False
            case MovedError():
                self._leave(server)
                owner = self._at(elsewhere(server.endpoint, met.host, met.port))
                self.current = self.current or owner  # unless another call has found one meanwhile
                return owner, False
            case AskError():
                return self._at(elsewhere(server.endpoint, met.host, met.port)), True
            case ReadOnlyError() | ClusterDownError():  # a replica, or cut off from the others
                self._leave(server)
            case Late() | Lost() | Unreachable():
                self._lost(server)
        return None

    def _found(self, search: asyncio.Task[Endpoint]) -> None:
        self._search = None
        if not search.cancelled() and search.exception() is None:
            self.current = self.current or self._at(search.result())

    def _at(self, endpoint: Endpoint) -> Multiplexer:
        if endpoint not in self._servers:
            kept = {at: it for at, it in self._servers.items() if it.busy or it is self.current}
            server = Multiplexer(endpoint, on_lost=self._lost, **self._options)
            self._servers = {**kept, endpoint: server}
        return self._servers[endpoint]

    def _leave(self, server: Multiplexer) -> None:
        """It works, but is the wrong one. Its name may mean another machine by now: reconnect."""
        if self.current is server:
            self.current = None
            server.renew()

    def _lost(self, server: Multiplexer) -> None:
        """Search again before the next call. (An idle connection may end because of a failover.)"""
        if self.current is server:
            self.current = None


class Link:
    """Runs scripts on the server that owns their keys, whatever the event loop.

    ``where`` is a URL or a topology. A call takes one trip, and a second one only when the server
    says that the first did not run: it does not have the script, or not the keys. Any other fault
    is a `StoreError` within ``deadline`` seconds: nothing that may have counted is sent again.
    ``on_use`` is called when an event loop first uses it; ``options`` are those of a `Multiplexer`.
    """

    def __init__(
        self,
        where: str | Topology,
        *,
        deadline: float = 0.05,
        on_use: Callable[[], None] | None = None,
        **options: Any,
    ) -> None:
        self._topology = topology_of(where) if isinstance(where, str) else where
        self._deadline = deadline
        self._on_use = on_use
        self._options = {"deadline": deadline, **options}
        self._routers: dict[asyncio.AbstractEventLoop, Router] = {}
        self._lock = Lock()  # event loops run in threads

    async def run(self, call: Call) -> Any:
        """The script's reply. Raises `StoreError`."""
        router = self._routers.get(asyncio.get_running_loop()) or self._new_router()
        until = monotonic() + self._deadline
        server = router.current
        if server is not None:
            return await router.run(server, call, until)
        async with in_time(until, Unreachable):
            server = await router.find(call.keys[0] if call.keys else "")
        return await router.run(server, call, until)

    async def aclose(self) -> None:
        """Close this event loop's connections."""
        with self._lock:
            router = self._routers.pop(asyncio.get_running_loop(), None)
        if router is not None:
            await router.aclose()

    def _new_router(self) -> Router:
        """This event loop's; those of loops that have ended, which nobody may have closed, go."""
        router = Router(self._topology, self._options)
        with self._lock:
            for ended in [each for each in self._routers if each.is_closed()]:
                del self._routers[ended]
            self._routers[asyncio.get_running_loop()] = router
        if self._on_use is not None:
            self._on_use()
        return router
