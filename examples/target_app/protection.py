"""The app with pumpguard in front of it, and the same app without."""

from __future__ import annotations

import secrets
from collections import Counter
from dataclasses import replace
from typing import Protocol

from fastapi import FastAPI
from starlette.routing import Route

from examples.target_app.clock import real_time, simulated_time
from examples.target_app.numbering import look_up
from examples.target_app.otp import SendSms
from examples.target_app.settings import Settings
from examples.target_app.sms_provider import Message
from pumpguard import Guard, Policy, PumpGuardMiddleware, current_decision
from pumpguard.alerts import Alert
from pumpguard.challenges import Altcha, Challenge
from pumpguard.ops.console import Console
from pumpguard.ops.metrics import FirewallMetrics
from pumpguard.store.embedded import EmbeddedServer
from pumpguard.testing import SimulatedHuman

HOME = ("GB", "IE", "FR", "DE", "US")
LOOPBACK = ("127.0.0.0/8", "::1")
DAILY_BUDGET = 600.0
"""USD: a little more than twice what the users of a busy day cost."""

SIMULATED_DEADLINE = 10.0


class Protection(Protocol):
    """What stands between a request and the SMS provider."""

    def install(self, app: FastAPI) -> None:
        """Put it in front of the app."""

    def sender(self, send: SendSms) -> SendSms:
        """The app's way to the provider."""

    def report(self) -> dict[str, object]:
        """The traffic it has seen."""

    async def aclose(self) -> None:
        """Let go of everything it holds."""


class Guarded:
    """pumpguard, with an embedded server where no Redis is given.

    ``policy`` takes the place of the app's own; without ``asks`` there is no challenge.
    """

    def __init__(
        self, settings: Settings, policy: Policy | None = None, *, asks: bool = True
    ) -> None:
        self._server = EmbeddedServer().start() if settings.redis_url is None else None
        self._metrics = FirewallMetrics()
        self._console_token, self._shows_metrics = settings.console_token, settings.metrics
        self._alerts: Counter[str] = Counter()
        policy = _policy(settings, policy)
        self.guard = Guard(
            policy,
            store=self._server.url if self._server else str(settings.redis_url),
            clock=simulated_time if settings.simulated else None,
            challenge=_challenge(settings, policy) if asks else None,
            on_decision=self._metrics.record,
            on_alert=self._alerted,
        )
        self._metrics.watch(self.guard)
        if settings.simulated:  # an app in use: somebody has entered a code before the day
            self.guard.observations.hearing.hear()

    def install(self, app: FastAPI) -> None:
        """Put the middleware in front of the app, and what operators look at beside it."""
        app.add_middleware(PumpGuardMiddleware, guard=self.guard)
        if self._console_token is not None:
            app.mount("/pumpguard", Console(self.guard, token=self._console_token))
        if self._shows_metrics:
            from pumpguard.ops.prometheus import metrics_app

            app.router.routes.append(Route("/metrics", metrics_app(self.guard)))

    def sender(self, send: SendSms) -> SendSms:
        """A sender that stays silent under a shadow ban, and tells the guard of numbers that nobody
        has."""

        async def told(phone: str, text: str) -> Message | None:
            message, decision = await send(phone, text), current_decision()
            if message and message.status == "rejected" and decision:
                self.guard.settle(decision, "unallocated")
            return message

        return self.guard.sender(told, shadowed=None)

    def report(self) -> dict[str, object]:
        """The traffic that the guard has judged."""
        return {**self._metrics.snapshot(), "alerts": dict(self._alerts)}

    def _alerted(self, alert: Alert) -> None:
        self._alerts[alert.code] += 1

    async def aclose(self) -> None:
        """Close the guard's connections and stop the embedded server."""
        await self.guard.aclose()
        if self._server:
            self._server.stop()


class Unguarded:
    """Lets everything through; knows how much it sent and where to, but not for whom."""

    def __init__(self) -> None:
        self._destinations: Counter[str] = Counter()

    def install(self, app: FastAPI) -> None:
        """Leave the app as it is."""

    def sender(self, send: SendSms) -> SendSms:
        """The same sender, counted."""

        async def counted(phone: str, text: str) -> Message | None:
            self._destinations[look_up(phone).destination] += 1
            return await send(phone, text)

        return counted

    def report(self) -> dict[str, object]:
        """The same keys as with a guard; empty where only a guard would know."""
        total = self._destinations.total()
        return {
            "total_requests": total,
            "requests_by_country": {},
            "requests_by_destination": dict(self._destinations),
            "requests_by_network": {},
            "by_action": {"allow": total} if total else {},
            "by_rule": {},
            "alerts": {},
            "shadow_messages": 0,
            "shadow_dollars_saved": 0.0,
            "shadow_by_country": {},
        }

    async def aclose(self) -> None:
        """Hold nothing, let go of nothing."""


def default_policy() -> Policy:
    """The policy of this app where no file says otherwise."""
    return Policy(
        send="/otp/send",
        verify="/otp/verify",
        verified_when="2xx",  # this app answers 400 to a wrong code
        phone="phone",
        code="code",
        home=HOME,
        proxies=LOOPBACK,
        daily_budget=DAILY_BUDGET,
    )


def _policy(settings: Settings, policy: Policy | None) -> Policy:
    if policy is not None:
        policy = replace(policy, prices=settings.prices)
    elif settings.policy_file:
        policy = Policy.from_toml(settings.policy_file)
    else:  # it counts by the prices that the provider charges
        policy = replace(default_policy(), prices=settings.prices)
    # A simulation must come out the same on a busy machine.
    return replace(policy, deadline=SIMULATED_DEADLINE) if settings.simulated else policy


def _challenge(settings: Settings, policy: Policy) -> Challenge:
    """Proof of work; in a simulation people need not do it."""
    secret = settings.secret or policy.secret or secrets.token_hex()
    clock = simulated_time if settings.simulated else real_time
    altcha = Altcha(policy, secret=secret, clock=clock)
    return SimulatedHuman(altcha) if settings.simulated else altcha
