"""A decision: what several findings say together."""

from __future__ import annotations

import pytest

from pumpguard import Action, Decision, Finding
from pumpguard.testing import make_attempt

ASKED = Finding("credit", Action.CHALLENGE, "CREDIT_SPENT", retry_after=3_000.0)
SOON = Finding("phone_limit", Action.THROTTLE, "PHONE_QUOTA", retry_after=20.0)
LATER = Finding("network", Action.BLOCK, "BANNED", retry_after=600.0)
SPENT = Finding("budget", Action.ALLOW, "BUDGET_ALERT", retry_after=9_000.0)


@pytest.mark.parametrize(
    ("findings", "action", "wait"),
    [
        ((), Action.ALLOW, None),
        ((SPENT,), Action.ALLOW, None),
        ((ASKED, SPENT), Action.CHALLENGE, 3_000.0),
        ((SOON, ASKED), Action.THROTTLE, 20.0),
        ((LATER, SOON, ASKED), Action.BLOCK, 600.0),
    ],
)
def test_nobody_waits_for_what_proof_meets_at_any_time(
    findings: tuple[Finding, ...], action: Action, wait: float | None
) -> None:
    """Somebody who taps *resend* too early is told of the cooldown, and asked after it."""
    assert Decision(make_attempt(), action, findings).retry_after == wait


def test_it_explains_why_it_let_through_and_who_decided() -> None:
    """In a line for the request and one for each finding, with nothing that names a person."""
    attempt = make_attempt("+447400123456", "81.2.69.142", country="GB")
    monitored = Finding("geo", Action.BLOCK, "ABROAD", {"from": "FR"}, mode="monitor")
    decision = Decision(attempt, findings=(monitored,), allowed_because="monitored", degraded=True)
    assert decision.explain() == (
        "allow: +44••••••••56 (GB) for 81.2.69.• (GB) [store unavailable] [monitored]\n"
        "  geo: ABROAD → block (monitored) [from=FR]"
    )
    assert Decision(attempt).explain() == "allow: +44••••••••56 (GB) for 81.2.69.• (GB)"
