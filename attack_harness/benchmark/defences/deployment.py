"""The guard as people set it up: half-way, or with everything."""

from __future__ import annotations

from dataclasses import dataclass, replace

from examples.target_app.protection import DAILY_BUDGET, HOME, LOOPBACK, Guarded
from examples.target_app.settings import Settings
from pumpguard import Policy
from pumpguard.ops.played import parts_of

from .from_readme import given


@dataclass(frozen=True)
class Deployment:
    """What a policy was told beside the guarded route, or README's first lines as they stand.

    Who says where users live or codes are entered has read on, and says what a day costs, too; who
    says nothing has the default budget.
    """

    home: bool = False
    verify: bool = False
    challenge: bool = False
    readme: bool = False

    @property
    def asks(self) -> bool:
        """Whether there is a challenge."""
        return "challenge" in given() if self.readme else self.challenge

    @property
    def parts(self) -> frozenset[str]:
        """What it has, as ``pumpguard check`` tells policies apart."""
        return parts_of(self.policy(), has_challenge=self.asks)

    def policy(self, budget: float | None = None) -> Policy:
        """Its policy; ``budget`` in USD a day, by default the app's, or what README says.

        Beside what was told it has what is particular to the example app: the field of the calling
        code, and one proxy through which all requests of the harness come.
        """
        if self.readme:
            told: Policy = given()["policy"]
            budget = budget or told.daily_budget
            return replace(told, proxies=LOOPBACK, code="code", daily_budget=budget)
        policy = Policy(send="/otp/send", proxies=LOOPBACK, code="code")
        if self.home:
            policy = replace(policy, home=HOME, daily_budget=budget or DAILY_BUDGET)
        if self.verify:
            # In an app that is used somebody's code was wrong before long; here nobody's ever is.
            policy = replace(policy, verify="/otp/verify", verified_when="2xx")
        return policy

    def guarded(self, settings: Settings, budget: float | None = None) -> Guarded:
        """The example app's guard, set up so far."""
        return Guarded(settings, self.policy(budget), asks=self.asks)
