"""Alerts: once, not once per request; a listener that fails harms nobody."""

from __future__ import annotations

import pytest
from redis import Redis

from pumpguard import Action, Decision, Finding, StoreError
from pumpguard.alerts import QUIET, Alert, Alerts
from pumpguard.store.base import Store
from pumpguard.store.memory import MemoryStore
from pumpguard.store.overrides import MemoryOverrides
from pumpguard.store.redis import RedisStore
from pumpguard.testing import FakeClock, make_attempt
from tests.conftest import PATIENT


def found(code: str, subject: str | None = None, **evidence: object) -> Decision:
    finding = Finding("budget", Action.ALLOW, code, evidence, subject=subject)
    return Decision(make_attempt(), findings=(finding,))


def test_the_same_alert_is_raised_once_in_a_while() -> None:
    clock, raised = FakeClock(), list[Alert]()
    alerts = Alerts(raised.append, clock)
    for _ in range(3):
        alerts.record(found("BUDGET_ALERT"))
    assert [alert.code for alert in raised] == ["BUDGET_ALERT"]
    clock.advance(QUIET)
    alerts.record(found("BUDGET_ALERT"))
    assert len(raised) == 2


def test_two_countries_are_two_alerts_and_an_outage_is_one_however_long() -> None:
    clock, raised = FakeClock(), list[Alert]()
    alerts = Alerts(raised.append, clock)
    alerts.record(found("BUDGET_SPENT", "GB"))
    alerts.record(found("BUDGET_SPENT", "FR"))
    for since in (1.0, 1.0, 1.0, 2.0):
        for _ in range(3):
            clock.advance(60)
            alerts.record(found("PROVIDER_OUTAGE", since=since))
        clock.advance(QUIET * 2)
    assert [alert.subject for alert in raised] == ["GB", "FR", None, None]


def test_an_outage_that_comes_and_goes_is_told_once_in_six_hours() -> None:
    """Each time it begins anew, and is nothing new to who was woken for it."""
    clock, raised = FakeClock(), list[Alert]()
    alerts, began = Alerts(raised.append, clock), clock()
    while clock() < began + 2 * QUIET:
        clock.advance(600)
        alerts.record(found("PROVIDER_OUTAGE", since=clock()))
    assert len(raised) == 2


def test_other_findings_are_no_alerts() -> None:
    raised = list[Alert]()
    Alerts(raised.append).record(found("RATE_LIMIT"))
    assert raised == []


def test_a_listener_that_fails_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    def fails(alert: Alert) -> None:
        raise RuntimeError

    Alerts(fails).record(found("BUDGET_ALERT"))
    assert "PG045" in caplog.text


class Fleet:
    """Several processes that share a store's claims."""

    def __init__(self, store: Store, processes: int = 5) -> None:
        self.raised: list[Alert] = []
        self.processes = [
            Alerts(self.raised.append, claim=store.overrides.claim) for _ in range(processes)
        ]

    async def find(self, *decisions: Decision) -> None:
        for decision in decisions:
            for alerts in self.processes:
                alerts.record(decision)
        for alerts in self.processes:
            await alerts.done()


async def test_a_fleet_raises_an_alert_once(store: Store) -> None:
    """Whichever process claims it; another subject is another alert."""
    fleet = Fleet(store)
    await fleet.find(found("BUDGET_SPENT", "GB"), found("BUDGET_SPENT", "FR"))
    await fleet.find(found("BUDGET_SPENT", "GB"))
    assert sorted(str(alert.subject) for alert in fleet.raised) == ["FR", "GB"]


class Away(MemoryOverrides):
    async def claim(self, what: str, seconds: int) -> bool:
        raise StoreError("away")


async def test_without_the_store_each_process_raises_its_own() -> None:
    """Better twice than never."""
    store = MemoryStore()
    store.overrides = Away()
    fleet = Fleet(store, processes=2)
    await fleet.find(found("BUDGET_SPENT", "GB"))
    assert len(fleet.raised) == 2


async def test_a_claim_names_nobody(valkey_url: str, name: str) -> None:
    """Its key is a hash, and it ends."""
    store = RedisStore(valkey_url, name=name, deadline=PATIENT)
    await Fleet(store).find(found("BUDGET_SPENT", "+447400123456"))
    await store.aclose()
    with Redis.from_url(valkey_url) as server:
        (key,) = server.scan_iter(match=f"*{name}*")
        assert b"7400123456" not in key
        assert 0 < server.ttl(key) <= QUIET


def test_a_moment_is_told_as_a_time(caplog: pytest.LogCaptureFixture) -> None:
    """The line is read at night, and its order copied."""
    evidence = {"since": 1_763_840_000, "orders": ["pumpguard lists deny prefix +88017123"]}
    Alerts().tell(Alert("ATTACK_BEGINS", "credit", evidence, None, 1_763_840_060.0))
    assert "since=2025-11-22 19:33:20 UTC, orders=pumpguard lists deny prefix" in caplog.text
