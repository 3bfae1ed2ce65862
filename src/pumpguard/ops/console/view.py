"""The values that the page shows: overrides, exposure, the store's health, and activity."""

from __future__ import annotations

import asyncio
import logging
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from time import monotonic
from typing import Any, Generic, TypeVar

from pumpguard.alerts import masked
from pumpguard.decision import Action
from pumpguard.errors import OverrideError, StoreError
from pumpguard.guard import Guard
from pumpguard.money.exposure import Exposure, exposure
from pumpguard.ops.console.activity import Activity, chart
from pumpguard.ops.console.forms import DURATIONS
from pumpguard.ops.console.text import HIDDEN, masked_listing, masked_text
from pumpguard.overrides.document import OverrideDocument
from pumpguard.overrides.lists import LISTED_KINDS
from pumpguard.overrides.lookup import unbounded_because
from pumpguard.overrides.posture import EVERYWHERE, Posture

T = TypeVar("T")

MAX_ROWS = 8
"""Rows of the tables by country and by rule."""

HEALTH_AGE = 60.0
"""Seconds for which a result of `Guard.check` is shown."""

DIGITS = re.compile("[0-9]{5,}")

FOREVER = 1e9
"""Seconds. A policy does not change, and neither does its exposure."""

STORE_AWAY = "The store does not answer: what is ordered is not known here."
UNREADABLE = (
    "The orders cannot be read, perhaps because a newer release has written them. "
    "To begin anew: pumpguard posture closed --anew"
)

logger = logging.getLogger("pumpguard")

REFUSING = (Action.THROTTLE, Action.BLOCK, Action.SHADOW)


class BackgroundCache(Generic[T]):
    """The last result of something slow. `get` recomputes it in the background once it is older
    than ``max_age`` (seconds), one computation at a time."""

    def __init__(self, compute: Callable[[], Awaitable[T]], max_age: float) -> None:
        self._compute = compute
        self._max_age = max_age
        self._computed_at = -max_age
        self._task: asyncio.Task[None] | None = None
        self._result: T | None = None

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
        if self._task is not None:
            await asyncio.wait({self._task})
        return self._result

    async def _work(self) -> None:
        try:
            self._result = await self._compute()
        except Exception:
            logger.exception("PG050 console data unavailable: part of the page is empty or old")
        self._computed_at = monotonic()


class View:
    """Gathers the templates' values. ``alone`` says that this process judges no requests."""

    def __init__(self, guard: Guard, activity: Activity, *, alone: bool) -> None:
        self.guard = guard
        self.activity = activity
        self.alone = alone
        self.exposure = BackgroundCache(self._expose, FOREVER)
        self.concerns = BackgroundCache(guard.check, HEALTH_AGE)

    async def values(self) -> dict[str, Any]:
        admin = self.guard.overrides
        now = admin.now()
        try:
            overrides = self._overrides(await admin.show(), now)
        except StoreError:
            overrides = {"orders": None, "unknown": STORE_AWAY}
        except OverrideError as error:
            overrides = {"orders": None, "unknown": f"{UNREADABLE} ({error.path})"}
        return {
            "policy": self.guard.policy,
            "alone": self.alone,
            "now": now,
            "kinds": LISTED_KINDS,
            "durations": {name: words for name, (words, _) in DURATIONS.items()},
            "postures": [str(posture) for posture in Posture],
            "has_challenge": self.guard.challenge is not None,
            "exposure": self.exposure.get(),
            "concerns": self.concerns.get(),
            **overrides,
            **self._traffic(),
        }

    def _overrides(self, overrides: OverrideDocument, now: float) -> dict[str, Any]:
        held = overrides.set_by_person(now)
        listings = sorted(overrides.listings, key=lambda e: (e.verdict, e.kind, e.shown))
        return {
            "orders": overrides,
            "unknown": None,
            "lifted": [masked_text(why) for why in unbounded_because(overrides, now)],
            "fleet": str(overrides.fleet(now)),
            "order": overrides.postures.get(EVERYWHERE),
            "held": held,
            "step": None if held else overrides.step,
            "countries": [
                (country, str(overrides.posture(country, now)), order)
                for country, order in sorted(overrides.postures.items())
                if country != EVERYWHERE
            ],
            "listings": [(each, masked_listing(each)) for each in listings],
        }

    def _traffic(self) -> dict[str, Any]:
        activity, metrics = self.activity, self.activity.metrics
        actions = metrics.counts["by_action"]
        return {
            "since": activity.since,
            "total": metrics.total_requests,
            "degraded": metrics.degraded,
            "actions": [(str(action), actions[str(action)]) for action in Action],
            "rules": _largest(metrics.counts["by_rule"]),
            "destinations": _largest(metrics.counts["requests_by_destination"]),
            "origins": _largest(metrics.counts["requests_by_country"]),
            "not_spent": activity.not_spent(*REFUSING),
            "not_spent_shadow": activity.not_spent(Action.SHADOW),
            "not_spent_challenge": activity.not_spent(Action.CHALLENGE),
            "chart": chart(activity.by_minute()),
            "refused": activity.refused,
            "last": activity.last,
            "alerts": [(a, masked(a.subject), _evidence(a.evidence)) for a in activity.alerts],
        }

    async def _expose(self) -> Exposure:
        return await asyncio.to_thread(exposure, self.guard.policy)


def _largest(counts: Counter[str]) -> list[tuple[str, int]]:
    """The largest counts, and the sum of the others."""
    rows = counts.most_common(MAX_ROWS)
    others = counts.total() - sum(count for _, count in rows)
    return [*rows, ("others", others)] if others else rows


def _evidence(evidence: Mapping[str, object]) -> str:
    """Evidence in a line: numbers in plain text, texts masked, as they may be personal data."""
    return ", ".join(
        f"{name}={DIGITS.sub(HIDDEN, masked_text(value)) if isinstance(value, str) else value}"
        for name, value in evidence.items()
    )
