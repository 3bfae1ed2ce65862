"""The store for a fleet: one Lua script, one round trip, the server's clock."""

from __future__ import annotations

import asyncio
from functools import partial

from pumpguard.store.breaker import Breaker, Probe
from pumpguard.store.fleet import SharedFleet
from pumpguard.store.health import Checkup, Concerns, Mark, usable
from pumpguard.store.inspected import InspectedStore
from pumpguard.store.overrides import SharedOverrides
from pumpguard.store.stream import WITHIN, SharedStream
from pumpguard.store.transport.link import Link
from pumpguard.store.transport.topology import topology_of

FORMAT = "pg1"
"""The version of what is stored: it protects the bytes in a rolling deploy, as the script's hash
protects the code."""


class RedisStore(InspectedStore):
    """Counters in Redis or Valkey, shared by every process that uses the same ``name``.

    ``url`` is ``redis://``, ``rediss://`` or ``unix://``, ``redis+sentinel://h:p,h:p/service`` or
    ``redis+cluster://h:p,h:p``. ``secret`` keys the hashes under which phones and networks are
    stored. ``deadline`` (seconds) bounds the whole call; nothing that may have counted is sent
    again. ``shards`` spreads the keys by calling code (see `pumpguard.store.scripted`).
    A server that fails is left alone until it can be used again (`pumpguard.store.breaker`).
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
        self.breakers = [Breaker(Probe(partial(usable, topology, key))) for key in checked]
        both = zip(self.breakers, self._links, strict=True)
        self.runs = [partial(breaker.run, link.run) for breaker, link in both]
        self.overrides = SharedOverrides(self._links, self._prefixes)
        self._beside = beside = Link(url, deadline=max(deadline, WITHIN))
        self.stream = SharedStream(beside, self._prefixes[0])
        self.fleet = SharedFleet(self._links[0], beside, self._prefixes[0])
        self.watch = SharedFleet(beside, beside, f"{self._prefixes[0]}watch:")

    async def check(self) -> Concerns:
        """What an operator should mend about the server, or about the cluster's that we use."""
        return await self._checkup.now()

    async def aclose(self) -> None:
        for breaker in self.breakers:
            breaker.close()
        await self._checkup.end()
        await self._beside.aclose()
        await asyncio.gather(*(link.aclose() for link in self._links))
