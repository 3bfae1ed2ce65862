"""The guard as people set it up: half-way, or with everything."""

from __future__ import annotations

from dataclasses import dataclass, replace

from examples.target_app.protection import DAILY_BUDGET, HOME, LOOPBACK, Guarded
from examples.target_app.settings import Settings
from pumpguard import Policy


@dataclass(frozen=True)
class Deployment:
    """What a policy was told beside the guarded route.

    Who says where users live or codes are entered has read on, and says what a day costs, too; who
    says nothing has the default budget.
    """

    home: bool = False
    verify: bool = False
    challenge: bool = False

    def guarded(self, settings: Settings, budget: float | None = None) -> Guarded:
        """The example app's guard, set up so far; ``budget`` in USD a day, the app's by default."""
        policy = Policy(send="/otp/send", proxies=LOOPBACK, code="code")
        if self.home:
            policy = replace(policy, home=HOME, daily_budget=budget or DAILY_BUDGET)
        if self.verify:
            policy = replace(policy, verify="/otp/verify")
        return Guarded(settings, policy, asks=self.challenge)
