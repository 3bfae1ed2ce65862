"""A rule on its own: a guard with nothing but that rule, over memory, with a clock."""

from __future__ import annotations

from typing import Any

from pumpguard import Decision, Guard, Policy
from pumpguard.alerts import Alert
from pumpguard.intake.network import UnknownNetworks
from pumpguard.rules import Rule
from pumpguard.store.base import Store
from pumpguard.testing import FakeClock, SimulatedHuman, make_attempt
from tests.conftest import PATIENT


class Trying:
    """Puts attempts to a chain of rules and lets time pass."""

    def __init__(
        self, *rules: Rule, store: str | Store = "memory://", asks: bool = True, **policy: Any
    ) -> None:
        self.clock = FakeClock()
        self.alerts: list[Alert] = []
        self.asked = 0
        self.guard = Guard(
            Policy(send="/send", rules=rules, **{"deadline": PATIENT, **policy}),
            store,
            clock=self.clock,
            networks=UnknownNetworks(),
            challenge=SimulatedHuman() if asks else None,
            on_alert=self.alerts.append,
        )
        self.guard.observations.hearing.hear()  # as in an app whose users verify

    async def send(self, *args: Any, after: float = 0.0, **facts: Any) -> Decision:
        """One attempt, ``after`` seconds after the one before."""
        now = self.clock.advance(after)
        return await self.guard.assess(make_attempt(*args, at=now, **facts))

    async def allows(self, *args: Any, **facts: Any) -> bool:
        """Whether one attempt is let through."""
        return (await self.send(*args, **facts)).allowed

    async def verified(self, phone: str) -> None:
        """The code sent to this number is entered, and the store has heard of it."""
        self.guard.verified(phone)
        await self.guard.settled()

    async def verified_customer(self, phone: str = "+447400123456") -> None:
        """A number that was sent a code, and entered it."""
        assert await self.allows(phone)
        await self.verified(phone)


def numbers(count: int, app: Trying) -> list[str]:
    """British numbers that were not asked for before, one after the other."""
    app.asked += count
    return [f"+4474{n:08}" for n in range(app.asked - count, app.asked)]
