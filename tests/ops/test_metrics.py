"""FirewallMetrics: what was asked for, by whom, and what became of it."""

from __future__ import annotations

from pumpguard import Action, Decision, Finding
from pumpguard.ops.metrics import NETWORKS_SHOWN, FirewallMetrics
from pumpguard.testing import make_attempt


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
        "requests_by_country": {"IE": 1, "unknown": 1},
        "requests_by_destination": {"GB": 1, "FR": 1},
        "requests_by_network": {"81.2.69.•": 2},
        "by_action": {"allow": 1, "block": 1},
        "by_rule": {"number": 1},
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
