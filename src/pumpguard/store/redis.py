"""The store for a fleet: one Lua script, one round trip, the server's clock; and a circuit breaker
for each server, so that a few requests pay for an outage, and not all."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Literal, ParamSpec, Protocol, TypeVar

from pumpguard.errors import StoreError
from pumpguard.notices import Notices
from pumpguard.store.health import Checkup, Concerns, Mark, usable
from pumpguard.store.overrides import SharedOverrides
from pumpguard.store.probe import Probe
from pumpguard.store.scripted import Call, ScriptStore
from pumpguard.store.transport.link import Link
from pumpguard.store.transport.topology import topology_of

FORMAT = "pg1"
"""The version of what is stored: it protects the bytes in a rolling deploy, as the script's hash
protects the code."""

FAULTS = 5
"""Faults in a row that open the breaker, each of a call that was made after the fault before: a
hundred calls that were in flight when one connection broke are one fault."""

P = ParamSpec("P")
T = TypeVar("T")


class RedisStore(ScriptStore):
    """Counters in Redis or Valkey, shared by every process that uses the same ``name``.

    ``url`` is ``redis://``, ``rediss://`` or ``unix://``, ``redis+sentinel://h:p,h:p/service`` or
    ``redis+cluster://h:p,h:p``. ``secret`` keys the hashes under which phones and networks are
    stored. ``deadline`` (seconds) bounds the whole call; nothing that may have counted is sent
    again. ``shards`` spreads the keys by calling code (see `pumpguard.store.scripted`).
    A server that fails is left alone until it can be used again (`Breaker`).
    With ``checkup``, it is looked at once in the background (`pumpguard.store.health`), and the
    policy's ``routes`` are left there for other guards of its name.
    Raises `PolicyError` for a URL that cannot be understood; connects when first asked.
    """

    def __init__(
        self,
        url: str,
        *,
        name: str = "default",
        secret: str = "",
        deadline: float = 0.05,
        shards: int = 1,
        checkup: bool = False,
        routes: str = "",
    ) -> None:
        tags = [name] if shards == 1 else [f"{name}-{shard}" for shard in range(shards)]
        # The policy's name is the hash tag: all of a shard's keys live in one slot of a cluster.
        super().__init__([f"{FORMAT}:{{{tag}}}:" for tag in tags], secret)
        mark = Mark(f"{self._prefixes[0]}guards", self._digest("mark", "").hex(), routes)
        topology, checked = topology_of(url), [f"{prefix}check" for prefix in self._prefixes]
        self._checkup = Checkup(topology, checked, mark if checkup else None)
        on_use = self._checkup.begin if checkup else None
        # In a cluster, shards live on different nodes: each has a link that knows its own.
        self._links = [Link(url, deadline=deadline, on_use=on_use) for _ in tags]
        self._breakers = [Breaker(Probe(partial(usable, topology, key))) for key in checked]
        self.overrides = SharedOverrides(self._links, self._prefixes)

    async def run(self, call: Call) -> Any:
        link, breaker = self._links[call.shard], self._breakers[call.shard]
        return await breaker.run(link.run, *call.script, call.keys, call.arguments)

    async def check(self) -> Concerns:
        """What an operator should mend about the server, or about the cluster's that we use."""
        return await self._checkup.now()

    async def aclose(self) -> None:
        for breaker in self._breakers:
            breaker.close()
        await self._checkup.end()
        await asyncio.gather(*(link.aclose() for link in self._links))


class BreakerOpen(StoreError):
    """The server was not asked, because it has failed and has not been found usable since."""

    undone = True


class Prober(Protocol):
    """Finds out when a store can be used again."""

    def begin(self, found: Callable[[], None]) -> None:
        """Call ``found`` as soon as it can, from any thread."""

    def end(self) -> None:
        """Stop looking."""


class Breaker:
    """Opens after five faults in a row, and then asks the ``probe`` (`pumpguard.store.probe`).

    Closed: every call passes. Open: every call fails at once. Half-open, once the probe has found
    the server usable: calls pass again, the first fault opens it anew, and the first answer closes
    it. So does an answer to a call that was on its way when it opened.
    """

    def __init__(self, probe: Prober) -> None:
        self._probe = probe
        self._notices, self._said_away = Notices(logger="pumpguard.store"), False
        self._state: Literal["closed", "open", "half-open"] = "closed"
        self._in_a_row = 0
        self._faults = 0  # ever

    async def run(self, call: Callable[P, Awaitable[T]], *args: P.args, **named: P.kwargs) -> T:
        """Make a call, or raise `StoreError` at once."""
        faults = self._faults
        if self._state == "open":
            raise BreakerOpen("the circuit breaker is open")
        try:
            answer = await call(*args, **named)
        except StoreError as error:
            if faults == self._faults:  # else it may be the same one
                self._failed(error)
            raise
        if self._in_a_row:
            self._recovered()
        return answer

    def close(self) -> None:
        """Ask no more, and begin anew with the next call."""
        self._probe.end()
        self._in_a_row, self._state = 0, "closed"

    def _failed(self, error: StoreError) -> None:
        self._faults += 1
        self._in_a_row += 1
        if self._in_a_row < FAULTS:
            return
        text = "store failed %d times in a row; on_store_failure decides now. The last: %s"
        if self._notices.say("PG010", "", text, self._in_a_row, error, level=logging.ERROR):
            self._said_away = True
        self._state = "open"
        self._probe.begin(self._found)

    def _found(self) -> None:
        """The probe's thread calls this."""
        if self._state == "open":
            self._state = "half-open"

    def _recovered(self) -> None:
        if self._state != "closed":
            self._probe.end()
        text = "store reachable again; decisions use it as before"
        if self._said_away and self._notices.say("PG011", "", text):
            self._said_away = False
        self._in_a_row, self._state = 0, "closed"
