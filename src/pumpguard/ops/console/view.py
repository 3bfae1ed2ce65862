"""The values that the page shows: overrides, exposure, the store's health, what the fleet sees."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any, Generic, TypeVar

from pumpguard.errors import OverrideError, StoreError
from pumpguard.guard import Guard
from pumpguard.money.exposure import Exposure, exposure
from pumpguard.notices import Notices
from pumpguard.ops.console.chart import chart
from pumpguard.ops.fleet import Fleet
from pumpguard.ops.fleet.attack import attack
from pumpguard.ops.fleet.deliveries import MOST, deliveries
from pumpguard.ops.fleet.desk import Desk
from pumpguard.ops.fleet.lately import Notice, observed
from pumpguard.ops.fleet.today import today
from pumpguard.ops.fleet.words import counted
from pumpguard.ops.markets import Market, markets
from pumpguard.overrides.document import OverrideDocument

T = TypeVar("T")

HEALTH_AGE = 60.0
"""Seconds for which a result of `Guard.check` is shown."""

MARKETS_AGE = 600.0
"""Seconds for which new markets are shown: finding them is a call of the store for each country."""

FOREVER = 1e9
"""Seconds. A policy does not change, and neither does its exposure while the same is expected."""

NOTICED = 20
"""Notices that are shown."""

MOST_BANS = 100
"""Bans that are shown at once; a search finds the others."""

STORE_AWAY = "The store does not answer: which overrides are in force is not known here."
UNREADABLE = (
    "The overrides cannot be read, perhaps because a newer release has written them. "
    "To begin anew: pumpguard posture closed --anew"
)


class BackgroundCache(Generic[T]):
    """The last result of something slow. `get` recomputes it in the background once it is older
    than ``max_age`` (seconds), one computation at a time."""

    def __init__(self, compute: Callable[[], Awaitable[T]], max_age: float) -> None:
        self._compute = compute
        self._max_age = max_age
        self._computed_at = -max_age
        self._task: asyncio.Task[None] | None = None
        self._result: T | None = None
        self._notices = Notices()

    def get(self) -> T | None:
        """The last result, or ``None`` while there is none."""
        if monotonic() - self._computed_at >= self._max_age:
            task, loop = self._task, asyncio.get_running_loop()
            if task is None or task.done() or task.get_loop() is not loop:
                self._task = loop.create_task(self._work())
        return self._result

    async def wait(self) -> T | None:
        """Like `get`, but waits for a computation under way."""
        self.get()
        assert self._task is not None  # noqa: S101 - the first call has begun one
        await asyncio.wait({self._task})
        return self._result

    async def _work(self) -> None:
        try:
            self._result = await self._compute()
        except Exception:
            text = "console data unavailable: part of the page is empty or old"
            self._notices.say("PG050", "page", text, level=logging.ERROR, exc_info=True)
        self._computed_at = monotonic()


class View:
    """Gathers the templates' values. Without a ``fleet``, this process judges no requests."""

    def __init__(self, guard: Guard, desk: Desk | None, fleet: Fleet | None = None) -> None:
        self.guard = guard
        self.judges_nothing = fleet is None
        self._desk, self._fleet = desk, fleet
        self.exposure = BackgroundCache(self._expose, FOREVER)
        self._expected: dict[str, float] = {}
        self.concerns = BackgroundCache(guard.check, HEALTH_AGE)
        self.markets = BackgroundCache(self._markets, MARKETS_AGE)

    async def values(self, page: str = "") -> dict[str, Any]:
        """The values of a page (`pumpguard.ops.console.frame.PAGES`). Where the store is away, what
        has been noticed is this process's."""
        admin = self.guard.overrides
        now = admin.now()
        values = {
            "policy": self.guard.policy,
            "has_challenge": self.guard.challenge is not None,
            "judges_nothing": self.judges_nothing,
            "now": now,
            "overrides": None,
            "unknown": None,
            "exposure": self.exposure.get(),
            "concerns": self.concerns.get(),
            "noticed": [
                Notice(now - ago, each.code, each.text)
                for ago, each in self.guard.notices.latest(NOTICED)
            ],
            "observed": observed([{"observed": self.guard.observations.snapshot()}]),
            "seen": None,
            "bans": None,
            "budgets": (),
            "deliveries": (),
            "markets": None,
            "less": False,
        }
        try:
            overrides = await admin.show()
            values |= await self._of_fleet(page, overrides)
        except StoreError:
            return {**values, "unknown": STORE_AWAY}
        except OverrideError as error:
            return {**values, "unknown": f"{UNREADABLE} ({error.path})"}
        expected = overrides.expected(now)
        if expected != self._expected:
            self._expected = expected
            self.exposure = BackgroundCache(self._expose, FOREVER)
        return {
            **values,
            "overrides": overrides,
            "fleet": str(overrides.fleet(now)),
            "lifted": overrides.unbounded_because(now, self.guard.policy.mode),
            "expected": expected,
            "exposure": self.exposure.get(),
        }

    async def speak(self) -> None:
        """Tell the fleet at once what this process has seen."""
        if self._fleet is not None:
            await self._fleet.speak()

    async def _of_fleet(self, page: str, overrides: OverrideDocument) -> dict[str, Any]:
        """What the fleet has seen, as far as a page shows it."""
        if self._desk is None:
            return {}
        await self.speak()
        seen = await self._desk.reader.look(0.0)
        values: dict[str, Any] = {"seen": seen}
        if seen.speaking:
            values |= {"noticed": seen.noticed[:NOTICED], "observed": seen.observed}
        match page:
            case "":
                now = self.guard.overrides.now()
                values |= {"chart": chart(seen.by_minute()), "attack": attack(seen)}
                values["denied"] = tuple(
                    each.value
                    for each in overrides.listings
                    if (each.verdict, each.kind) == ("deny", "prefix") and each.in_force(now)
                )
            case "who":
                values["bans"] = (await self._desk.bans())[:MOST_BANS]
            case "rules":
                found = today(self._desk.chain, seen, overrides)
                values["rules"] = sorted(found, key=lambda rule: not rule.busy)
            case "money":
                spends = await self._desk.spends()
                values["budgets"] = [line for each in spends if (line := counted(*each))]
                values["less"] = any(counter.verified < 1 for counter, _ in spends)
                values["markets"] = self.markets.get()
                values["deliveries"] = deliveries(seen.day)[:MOST]
        return values

    async def _markets(self) -> list[Market]:
        at = self.guard.overrides.now() if self.guard.simulated else None
        return await markets(self.guard.policy, self.guard.store, at)

    async def _expose(self) -> Exposure:
        return await asyncio.to_thread(exposure, self.guard.policy, expected=self._expected)
