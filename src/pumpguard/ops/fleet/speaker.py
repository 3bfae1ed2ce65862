"""A process speaks: once a second it adds what it has seen to the buckets of the fleet."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections import deque
from collections.abc import Callable
from contextvars import Context
from hashlib import blake2b

from pumpguard.alerts import Alert
from pumpguard.attempt import Phone
from pumpguard.background import BackgroundTasks
from pumpguard.errors import StoreError
from pumpguard.guard import Guard
from pumpguard.listeners import Became, Listener, Recorded, Reported
from pumpguard.notices import Notices
from pumpguard.ops.fleet.bans import BansMet
from pumpguard.ops.fleet.lately import Lately
from pumpguard.ops.fleet.tally import Tally
from pumpguard.store.fleet import HOUR, MINUTE, Batch
from pumpguard.store.in_front import behind
from pumpguard.store.inspected import InspectedStore

TICK = 1.0
"""Seconds between two words: what a process takes with it if it is killed."""

QUIET_TICK = 5.0
"""Seconds between two words of a process that has nothing to say."""

KEPT = 600
"""Batches that wait while the store is away: ten minutes of a busy process."""


class Fleet(Listener):
    """Tells the fleet what a guard decides: ``Fleet(guard)``, once per process. A `Console` in the
    app does so by itself.

    A request waits for nothing: it is counted in this process, and a task adds the counts to the
    store. While the store is away they wait, for ten minutes; older ones are dropped and said once
    (``PG096``). A process that is killed takes its last second with it; one that is closed
    nothing.
    """

    name = "the fleet's counts"

    def __init__(self, guard: Guard) -> None:
        store = behind(guard.store)
        self.store = store.fleet if isinstance(store, InspectedStore) else None
        self.process = secrets.token_hex(4)
        self._workers, self._since = guard.policy.workers, round(time.time())
        self._clock: Callable[[], float] = guard.overrides.now
        self._notices: Notices = guard.notices
        self._tally, self._lately = Tally(), Lately(guard)
        self._bans = BansMet(
            guard.policy.chain, store if isinstance(store, InspectedStore) else None
        )
        self._waiting: deque[tuple[int, Batch]] = deque()
        self._number = 0
        self._timer: tuple[asyncio.AbstractEventLoop, asyncio.TimerHandle] | None = None
        self._tasks, self._lock = BackgroundTasks(), asyncio.Lock()
        self._key = blake2b(
            guard.policy.secret.encode(), digest_size=32, person=b"pg fleet"
        ).digest()
        if self.store is not None:
            guard.listen(self)

    def decided(self, recorded: Recorded) -> None:
        decision = recorded.decision
        self._tally.add(decision, recorded.at)
        self._lately.decided(recorded)
        if decision.findings:
            self._bans.note(decision, recorded.at)
        self._wake()

    def outcome(self, became: Became) -> None:
        self._tally.outcome(became.phone, became.outcome)

    def reported(self, reported: Reported) -> None:
        self._tally.reported(reported)
        self._wake()

    def alerted(self, alert: Alert) -> None:
        self._lately.alerted(alert)
        self._wake()

    async def aclose(self) -> None:
        if self._timer is not None:
            self._timer[1].cancel()
            self._timer = None
        await self._tasks.done()
        self._lately.leave()
        await self.speak()

    def begin(self) -> None:
        """Speak from now on, in the event loop that runs here, and in no request's context."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # a later decision will be made in one
            return
        self._lock = asyncio.Lock()
        self._timer = loop, loop.call_later(TICK, self._tick, context=Context())

    async def speak(self) -> None:
        """Add what has been seen since the last word, and what waits."""
        async with self._lock:
            self._gather()
            while self._waiting and self.store is not None:
                number, batch = self._waiting[0]
                try:
                    await self.store.add(self.process, number, self._word(), batch)
                except StoreError as error:
                    if error.refused:  # such as a right that is missing
                        text = "the store does not take the fleet's counts: %s"
                        self._notices.say("PG097", "fleet", text, error)
                    return
                self._waiting.popleft()

    def _wake(self) -> None:
        if self._timer is None or self._timer[0].is_closed():
            self.begin()

    def _tick(self) -> None:
        assert self._timer is not None  # noqa: S101 - only `begin` and this set it
        loop = self._timer[0]
        pause = TICK if self._tally.busy else QUIET_TICK
        self._tasks.start(self.speak())
        self._timer = loop, loop.call_later(pause, self._tick, context=Context())

    def _gather(self) -> None:
        counts, refused, verified = self._tally.take()
        now = self._clock()
        if self._waiting and not (counts or self._bans.waiting):
            return
        if len(self._waiting) >= KEPT:
            self._waiting.popleft()
            self.dropped += 1
            counts["k\tdropped"] = counts.get("k\tdropped", 0) + 1
            text = "the store has been away for long: the console's counts of that time are dropped"
            self._notices.say("PG096", "fleet", text, level=logging.ERROR)
        self._number += 1
        minute, hour = int(now) // MINUTE * MINUTE, int(now) // HOUR * HOUR
        batch = Batch(minute, hour, counts, self._bans.take(), {}, [])
        batch.refused = {self._hashed(phone): rules for phone, rules in refused.items()}
        batch.verified = [self._hashed(phone) for phone in verified]
        self._waiting.append((self._number, batch))

    def _word(self) -> str:
        own = f'"since":{self._since},"workers":{self._workers},"n":{self._tally.decided}'
        return f"{{{own},{self._lately.said()}}}"

    def _hashed(self, phone: Phone) -> str:
        text = phone.e164.encode()
        return blake2b(text, key=self._key, digest_size=8).hexdigest()
