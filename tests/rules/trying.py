"""A rule on its own: a guard with nothing but that rule, over memory, with a clock."""

from __future__ import annotations

from typing import Any

from pumpguard import Decision, Guard, Policy
from pumpguard.intake.network import UnknownNetworks
from pumpguard.rules import Rule
from pumpguard.testing import FakeClock, make_attempt


class Trying:
    """Puts attempts to a chain of rules and lets time pass."""

    def __init__(self, *rules: Rule, **policy: Any) -> None:
        self.clock = FakeClock()
        chosen = Policy(send="/send", rules=rules, **policy)
        self.guard = Guard(chosen, clock=self.clock, networks=UnknownNetworks())

    async def send(self, *args: Any, after: float = 0.0, **facts: Any) -> Decision:
        """One attempt, ``after`` seconds after the one before."""
        now = self.clock.advance(after)
        return await self.guard.assess(make_attempt(*args, at=now, **facts))

    async def allows(self, *args: Any, **facts: Any) -> bool:
        """Whether one attempt is let through."""
        return (await self.send(*args, **facts)).allowed
