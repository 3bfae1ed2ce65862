"""Watches for attacks, and wakes somebody: once when one begins, once an hour, and when it is over.

Each process adds what it has refused to buckets that the fleet shares, and judges by the sum. A
request waits for nothing, and a process that refuses nothing does nothing.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

from pumpguard.alerts import Alert, Claim
from pumpguard.attempt import micros
from pumpguard.background import Later
from pumpguard.decision import Decision
from pumpguard.errors import StoreError
from pumpguard.listeners import Listener, Listeners, Recorded
from pumpguard.store.base import Store
from pumpguard.store.fleet import Batch, FleetStore, MemoryFleet
from pumpguard.store.in_front import behind
from pumpguard.store.inspected import InspectedStore
from pumpguard.watch.episode import (
    BEGINS,
    CALM,
    GOES_ON,
    HOUR,
    MANY,
    MINUTE,
    NOW,
    OTHER,
    OVER,
    Episode,
    Sums,
    begins,
    goes_on,
    no_sign,
    told,
)

TICK = 10.0
"""Seconds between two looks, while something is refused or an attack is known."""

SUSPECT = 10
"""Refused requests, of the fleet in ten minutes or of this process since it looked, from which on a
process counts what it lets through as well: until then nobody listens to that."""

MOST_KNOWN, MOST_TOLD = 1_000, 50
"""Blocks, and bans, that a process remembers; blocks that it tells apart in one look."""

NAME = "attack"
"""Under which the store keeps the episode."""

KEPT = 2 * HOUR


class AttackWatch(Listener):
    """One guard's part of it. ``budget`` is the policy's for a day (USD), ``tell`` raises an alert,
    ``claim`` says whether this process is the first of the fleet; in ``simulated`` time it looks
    when a request comes."""

    name = "the watch for attacks"

    def __init__(
        self,
        budget: float,
        store: Store,
        claim: Claim | None,
        clock: Callable[[], float],
        tell: Callable[[Alert], None],
        listeners: Listeners,
    ) -> None:
        self._budget, self._store, self._claim = budget, store, claim
        shared = behind(store)
        self._sums: FleetStore | None = shared.watch if isinstance(shared, InspectedStore) else None
        self._now, self._tell, self._listeners = clock, tell, listeners
        self._simulated = claim is None
        if claim is None:
            self._sums = MemoryFleet(clock)  # the store's buckets end by real time
        self._process, self._number = secrets.token_hex(4), 0
        self._counts: Counter[str] = Counter()
        self._refused: dict[tuple[str, str, str, float | None], int] = {}
        self._n = 0
        self._hot: dict[str, None] = {}
        self._bans: dict[tuple[str, str | None], None] = {}
        self._episode = False
        self._looked_at = 0.0
        self._later, self._looking = Later(TICK, self.look), asyncio.Lock()
        listeners.on_refusal = self.refused

    def refused(self, decision: Decision) -> None:
        """Count a refusal."""
        finding, attempt = decision.finding, decision.attempt
        if self._sums is None or no_sign(decision):
            return
        phone, rule = attempt.phone, "" if finding is None else finding.rule
        block, self._n = phone.block, self._n + 1
        kind = phone.country, block, rule, attempt.price
        self._refused[kind] = self._refused.get(kind, 0) + 1
        if finding is not None and finding.code in ("BANNED", "SHADOW_BANNED"):
            self._ban(rule, finding.subject)
        if len(self._hot) < MOST_KNOWN:
            self._hot[block] = None
        if self._n >= SUSPECT and self not in self._listeners:
            self._listeners.append(self)
        self._look_soon()

    def decided(self, recorded: Recorded) -> None:
        decision = recorded.decision
        if decision.action:
            self._counts["an"] += not no_sign(decision)
            return
        self._counts["a"] += 1
        if decision.attempt.phone.block in self._hot:
            self._counts["sent"] += micros(decision.attempt.price or 0.0)
        self._look_soon()

    async def done(self) -> None:
        await self._later.done()
        if self._counts or self._refused:
            await self.look()

    async def look(self) -> None:
        """Add what this process has seen, and judge by what the fleet has."""
        async with self._looking:
            with suppress(StoreError):  # what was counted is lost, and no request is affected
                await self._look()

    def _ban(self, rule: str, subject: str | None) -> None:
        if (rule, subject) not in self._bans:
            if len(self._bans) >= MOST_KNOWN:
                self._bans.clear()
            self._bans[rule, subject] = None
            self._counts["bans"] += 1

    def _look_soon(self) -> None:
        if self._simulated:
            now = self._now()
            if now - self._looked_at >= TICK:
                self._looked_at = now
                self._later.now()
        else:
            self._later.soon()  # without a loop the next one may come in one

    async def _look(self) -> None:
        counts, now = self._taken(), self._now()
        self._number += 1
        if self._sums is None:
            return
        minute, hour = int(now) // MINUTE * MINUTE, int(now) // HOUR * HOUR
        if counts:
            await self._sums.add(self._process, self._number, "{}", Batch(minute, hour, counts))
        minutes = [minute - n * MINUTE for n in range(NOW + 1)]
        buckets = (await self._sums.look(minutes)).buckets
        sums = Sums.of(buckets)
        text = await self._store.recall(NAME, self._at(now))
        episode = Episode(*json.loads(text)) if text else None
        if episode is None:
            busy = (
                at for at, seen in zip(minutes, buckets, strict=True) if seen.get("n", 0) >= MANY
            )
            await self._may_begin(sums, min(busy, default=minute), hour, now)
        else:
            await self._may_end(episode, sums, now)
        suspicious = self._episode or sums.n >= SUSPECT
        if suspicious != (self in self._listeners):
            (self._listeners.append if suspicious else self._listeners.remove)(self)
        if not suspicious:
            self._hot.clear()
        if suspicious and not self._simulated:
            self._look_soon()  # also without another request: an attack may be over

    def _taken(self) -> Counter[str]:
        """What was counted since the last look; of the blocks those with the most dollars."""
        counts, self._counts = self._counts, Counter()
        refused, self._refused, self._n = self._refused, {}, 0
        blocks, in_block = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
        for (country, block, rule, price), n in refused.items():
            u = n * micros(price or 0.0)
            for name, more in ("n", n), ("u", u), (f"r\t{rule}\tu" if rule else "", u):
                counts[name] += more
            blocks[country, block] += u
            in_block[country, block] += n
        del counts[""]
        for i, (place, u) in enumerate(blocks.most_common()):
            country, block = place
            named = block if i < MOST_TOLD else OTHER
            counts[f"b\t{country}\t{named}\tu"] += u
            counts[f"b\t{country}\t{named}\tn"] += in_block[place]
        return counts

    async def _may_begin(self, sums: Sums, since: int, hour: int, now: float) -> None:
        self._episode = False
        if self._sums is None or not begins(self._budget, (), sums):
            return  # the past need not be read
        hours = [hour - n * HOUR for n in range(1, 25)]
        past = [bucket.get("u", 0) for bucket in (await self._sums.look(hours=hours)).buckets]
        if begins(self._budget, past, sums) and await self._first(f"{NAME} begins", CALM * MINUTE):
            episode = Episode(since, int(now))
            await self._keep(episode, now)
            self._episode = True
            self._tell(told(BEGINS, sums, episode, now))

    async def _may_end(self, episode: Episode, sums: Sums, now: float) -> None:
        self._episode = True
        if goes_on(self._budget, sums):
            hours = int(now - episode.since) // HOUR
            first = hours >= episode.told and await self._first(
                f"{NAME} {episode.since} {hours}", HOUR
            )
            seen = Episode(episode.since, int(now), hours + 1 if first else episode.told)
            if first or now - episode.seen >= MINUTE:
                await self._keep(seen, now)
            if first:
                self._tell(told(GOES_ON, await self._all(episode, now), seen, now))
        elif now - episode.seen >= CALM * MINUTE:
            self._episode = False
            if await self._first(f"{NAME} {episode.since} over", KEPT):
                await self._store.remember(NAME, "", KEPT, self._at(now))
                self._tell(told(OVER, await self._all(episode, now), episode, now))

    async def _all(self, episode: Episode, now: float) -> Sums:
        """What was refused since it began: by the minutes that are kept, then by hours."""
        assert self._sums is not None  # noqa: S101 - the caller has looked
        begun, end = episode.since // MINUTE * MINUTE, int(now)
        if end - begun <= 110 * MINUTE:
            minutes = list(range(begun, end + 1, MINUTE))
            return Sums.of((await self._sums.look(minutes)).buckets)
        hours = list(range(max(begun // HOUR * HOUR, end - 24 * HOUR), end + 1, HOUR))
        return Sums.of((await self._sums.look(hours=hours)).buckets)

    async def _keep(self, episode: Episode, now: float) -> None:
        text = json.dumps([episode.since, episode.seen, episode.told])
        await self._store.remember(NAME, text, KEPT, self._at(now))

    async def _first(self, what: str, seconds: int) -> bool:
        return self._claim is None or await self._claim(what, seconds)

    def _at(self, now: float) -> float | None:
        return now if self._simulated else None
