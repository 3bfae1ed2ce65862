"""Alerts: once, not once per request; a listener that fails harms nobody."""

from __future__ import annotations

import pytest

from pumpguard import Action, Decision, Finding
from pumpguard.ops.alerts import QUIET, Alert, Alerts
from pumpguard.testing import FakeClock, make_attempt


def found(code: str, subject: str | None = None, **evidence: object) -> Decision:
    finding = Finding("budget", Action.ALLOW, code, evidence, subject=subject)
    return Decision(make_attempt(), findings=(finding,))


def test_the_same_alert_is_raised_once_in_a_while() -> None:
    clock, raised = FakeClock(), list[Alert]()
    alerts = Alerts(raised.append, clock)
    for _ in range(3):
        alerts.look(found("BUDGET_ALERT"))
    assert [alert.code for alert in raised] == ["BUDGET_ALERT"]
    clock.advance(QUIET)
    alerts.look(found("BUDGET_ALERT"))
    assert len(raised) == 2


def test_two_countries_are_two_alerts_and_an_outage_is_one_however_long() -> None:
    clock, raised = FakeClock(), list[Alert]()
    alerts = Alerts(raised.append, clock)
    alerts.look(found("BUDGET_SPENT", "GB"))
    alerts.look(found("BUDGET_SPENT", "FR"))
    for _ in range(5):
        alerts.look(found("PROVIDER_OUTAGE", since=1.0))
        clock.advance(QUIET * 2)
    alerts.look(found("PROVIDER_OUTAGE", since=2.0))
    assert [alert.subject for alert in raised] == ["GB", "FR", None, None]


def test_other_findings_are_no_alerts() -> None:
    raised = list[Alert]()
    Alerts(raised.append).look(found("RATE_LIMIT"))
    assert raised == []


def test_a_listener_that_fails_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    def fails(alert: Alert) -> None:
        raise RuntimeError

    Alerts(fails).look(found("BUDGET_ALERT"))
    assert "on_alert failed" in caplog.text
