"""FirewallMetrics: what was asked for, by whom, and what became of it."""

from __future__ import annotations

from pumpguard import Action, Decision, Finding, Guard, Policy
from pumpguard.ops.metrics import NETWORKS_SHOWN, FirewallMetrics
from pumpguard.testing import FakeClock, make_attempt


def test_every_decision_is_counted_on_every_dimension() -> None:
    """Country of the client, of the phone, network, action, and the rule that decided."""
    metrics = FirewallMetrics()
    metrics.record(Decision(make_attempt("+447400123456", country="IE"), degraded=True))
    refused = Decision(
        make_attempt("+33612345678"),
        Action.BLOCK,
        (Finding("number", Action.BLOCK, "X"), Finding("geo", Action.CHALLENGE, "Y")),
    )
    metrics.record(refused)
    assert metrics.snapshot() == {
        "total_requests": 2,
        "degraded": 1,
        "outcomes_waiting": 0,
        "outcomes_lost": 0,
        "observed": {},
        "requests_by_country": {"IE": 1, "unknown": 1},
        "requests_by_destination": {"GB": 1, "FR": 1},
        "requests_by_network": {"81.2.69.•": 2},
        "by_action": {"allow": 1, "block": 1},
        "by_rule": {"number": 1},
        "shadow_messages": 0,
        "shadow_dollars_saved": 0.0,
        "shadow_by_country": {},
    }


def test_shadows_are_money_not_spent() -> None:
    """By the country of the phone, to the cent; what was only refused is not among it."""
    metrics = FirewallMetrics()
    for phone, price in (("+77011234567", 0.36), ("+77011234568", 0.36), ("+33612345678", 0.07)):
        metrics.record(Decision(make_attempt(phone, price=price), Action.SHADOW))
    metrics.record(Decision(make_attempt(price=None), Action.SHADOW))
    metrics.record(Decision(make_attempt(price=5.0), Action.BLOCK))
    metrics.record(Decision(make_attempt(price=5.0)))
    found = metrics.snapshot()
    assert metrics.shadow_messages == found["shadow_messages"] == 4
    assert metrics.shadow_dollars_saved == found["shadow_dollars_saved"] == 0.79
    assert found["shadow_by_country"] == {
        "KZ": {"messages": 2, "dollars": 0.72},
        "FR": {"messages": 1, "dollars": 0.07},
        "GB": {"messages": 1, "dollars": 0.0},
    }


def test_networks_do_not_grow_without_bound() -> None:
    """An attacker's many addresses end up under ``other``."""
    metrics = FirewallMetrics()
    for i in range(NETWORKS_SHOWN + 500):
        metrics.record(Decision(make_attempt(address=f"10.{i // 250}.{i % 250}.1")))
    networks = metrics.snapshot()["requests_by_network"]
    assert isinstance(networks, dict)
    assert len(networks) == NETWORKS_SHOWN + 1
    assert networks["other"] == 500


async def test_of_a_guard_that_is_watched_it_shows_what_it_has_observed() -> None:
    async with Guard(Policy(send="/otp/send"), clock=FakeClock()) as guard:
        metrics = FirewallMetrics()
        metrics.watch(guard)
        guard.observations.unread("phone-number", "The telephone number is missing.")
        observed = metrics.snapshot()["observed"]
    assert observed == {
        "unread": 1, "unreadable": {"phone-number": 1}, "misunderstood": {}, "deaf": False
    }  # fmt: skip
