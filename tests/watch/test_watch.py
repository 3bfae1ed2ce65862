"""Somebody is woken: once when an attack begins, once an hour, and when it is over."""

from __future__ import annotations

import asyncio
import random

import pytest

from pumpguard import Action, Decision, Finding, Guard, Policy
from pumpguard.alerts import Alert
from pumpguard.intake.network import UnknownNetworks
from pumpguard.testing import FakeClock, make_attempt

HOUR, DAY = 3_600, 86_400


class Fleet:
    """A guard in simulated time with the default rules, and the alerts about attacks."""

    def __init__(self) -> None:
        self.clock, self.draw = FakeClock(1_700_000_000.0), random.Random(1)
        self.alerts: list[Alert] = []
        policy = Policy(send="/s", home=["GB"], secret="a well kept secret", settled=True)
        self.guard = Guard(
            policy, clock=self.clock, networks=UnknownNetworks(), on_alert=self.alert
        )

    def alert(self, alert: Alert) -> None:
        if alert.code.startswith("ATTACK"):
            self.alerts.append(alert)

    @property
    def codes(self) -> list[str]:
        return [alert.code for alert in self.alerts]

    async def people(self, seconds: float, each: float = 60.0) -> None:
        """One of many users every so many seconds; they enter their codes."""
        end = self.clock.now + seconds
        while self.clock.now < end:
            phone = f"+4474{self.draw.randrange(10**8):08}"
            attempt = make_attempt(phone, _address(self.draw), at=self.clock.now, price=0.05)
            if (await self.guard.assess(attempt)).allowed:
                self.guard.verified(phone)
                await self.guard.reports.told()
            self.clock.advance(each)

    async def attack(self, seconds: float, each: float = 0.3) -> None:
        """A script asks for the numbers of one block."""
        end = self.clock.now + seconds
        while self.clock.now < end:
            phone = f"+88017123{self.draw.randrange(10**5):05}"
            attempt = make_attempt(phone, _address(self.draw), at=self.clock.now, price=0.3)
            await self.guard.assess(attempt)
            await asyncio.sleep(0)
            self.clock.advance(each)


def _address(draw: random.Random) -> str:
    return f"{draw.randrange(11, 99)}.{draw.randrange(256)}.{draw.randrange(256)}.1"


async def test_after_three_quiet_days_an_attack_of_twelve_minutes() -> None:
    """One alert when it begins, with the orders to give; one when it is over."""
    fleet = Fleet()
    await fleet.people(3 * DAY, 600)
    assert fleet.codes == []
    began = fleet.clock.now
    await fleet.attack(720)
    assert fleet.codes == ["ATTACK_BEGINS"]
    (begun,) = fleet.alerts
    assert began - 60 <= int(str(begun.evidence["since"])) <= began + 60
    assert str(begun.evidence["orders"]).startswith("['pumpguard lists deny prefix +88017123")
    await fleet.people(2 * HOUR, 60)
    await fleet.guard.settled()
    assert fleet.codes == ["ATTACK_BEGINS", "ATTACK_OVER"]
    over = fleet.alerts[1].evidence
    assert int(str(over["refused"])) > 2_300
    assert float(str(over["not_spent"])) > 690
    await fleet.guard.aclose()


async def test_one_that_goes_on_is_told_once_an_hour() -> None:
    """With what it would have cost so far."""
    fleet = Fleet()
    await fleet.attack(2.5 * HOUR, 3.0)
    assert fleet.codes == ["ATTACK_BEGINS", "ATTACK_GOES_ON", "ATTACK_GOES_ON"]
    costs = [float(str(alert.evidence["not_spent"])) for alert in fleet.alerts]
    assert costs == sorted(costs)
    await fleet.guard.aclose()


async def test_users_who_are_refused_are_no_attack() -> None:
    """A TV spot: hundreds in ten minutes, and the budget of the hour is spent."""
    fleet = Fleet()
    await fleet.people(HOUR, 60)
    await fleet.people(900, 0.5)
    await fleet.people(HOUR, 60)
    await fleet.guard.settled()
    assert fleet.codes == []
    await fleet.guard.aclose()


async def test_one_alert_of_the_whole_fleet(valkey_url: str, name: str) -> None:
    """Each of three processes has a third of the attack, which alone is none."""
    alerts: list[Alert] = []
    policy = Policy(send="/s", home=["GB"], name=name, deadline=5.0, daily_budget=600)
    guards = [Guard(policy, valkey_url, on_alert=alerts.append) for _ in range(3)]
    for n in range(75):
        guard = guards[n % 3]
        phone = f"+88017123{n:05}"
        attempt = guard.attempt(phone, f"81.2.{n}.1")
        await guard.assess(attempt)
    for _ in range(2):
        for guard in guards:
            await guard.settled()
    assert [alert.code for alert in alerts] == ["ATTACK_BEGINS"]
    for guard in guards:
        await guard.aclose()


async def test_a_store_that_is_away_holds_nobody_up(caplog: pytest.LogCaptureFixture) -> None:
    """What was counted meanwhile is lost, and nothing else."""
    policy = Policy(send="/s", on_store_failure="closed")
    guard = Guard(policy, "redis://127.0.0.1:1/0")
    assert not (await guard.assess(guard.attempt("+447400123456"))).allowed
    await guard.aclose()
    assert "PG043" not in caplog.text


async def test_what_an_attacker_varies_is_remembered_within_bounds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Blocks and bans, however many there are."""
    monkeypatch.setattr("pumpguard.watch.MOST_KNOWN", 3)
    guard = Guard(Policy(send="/s"), clock=FakeClock())
    for n in range(20):
        banned = Finding("ban", Action.BLOCK, "BANNED", subject=f"somebody {n}")
        attempt = make_attempt(f"+8801712{n:02}5678", at=1_700_000_000.0)
        guard._watch.refused(Decision(attempt, Action.BLOCK, (banned,)))
        assert len(guard._watch._hot) <= 3
        assert len(guard._watch._bans) <= 3
    await guard.aclose()


async def test_a_refusal_that_no_rule_made_counts() -> None:
    """Such as all of an app that fails closed."""
    guard = Guard(Policy(send="/s"), clock=FakeClock())
    guard._watch.refused(Decision(make_attempt(at=1_700_000_000.0), Action.THROTTLE))
    assert guard._watch._n == 1
    assert [rule for _, _, rule, _ in guard._watch._refused] == [""]
    await guard.aclose()
