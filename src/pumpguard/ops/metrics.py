"""Counts of what the guard saw and did, in this process."""

from __future__ import annotations

from collections import Counter

from pumpguard.decision import Action, Decision
from pumpguard.guard import Guard

NETWORKS_SHOWN = 1_000
MILLION = 1_000_000


class FirewallMetrics:
    """Pass ``record`` as a guard's ``on_decision``; `snapshot` is ready for JSON. `watch` adds what
    became of its outcomes (those that wait to be told to the store, and those that were lost), and
    as ``observed`` what the guard has seen of the app (`pumpguard.observations`).

    ``degraded`` counts decisions made without the store. ``shadow_messages`` are those that were
    not sent while their client hears nothing of it, ``shadow_dollars_saved`` what they had cost.
    Networks are counted masked to their /24 (IPv4) or /48 (IPv6), at most a thousand of them.
    """

    def __init__(self) -> None:
        self.total_requests = 0
        self.degraded = 0
        self.shadow_messages = 0
        self._guard: Guard | None = None
        self._saved: Counter[str] = Counter()  # in millionths of a dollar: floats do not add up
        self.counts: dict[str, Counter[str]] = {
            "requests_by_country": Counter(),
            "requests_by_destination": Counter(),
            "requests_by_network": Counter(),
            "by_action": Counter(),
            "by_rule": Counter(),
            "shadow_by_country": Counter(),
        }

    def watch(self, guard: Guard) -> None:
        """Also show this guard's outcomes, and what it has observed."""
        self._guard = guard

    def record(self, decision: Decision) -> None:
        """Count one decision; a refusal is put down to the rule whose finding decided it."""
        self.total_requests += 1
        self.degraded += decision.degraded
        attempt, counts = decision.attempt, self.counts
        country = attempt.phone.region or "unknown"
        counts["requests_by_country"][attempt.client.country or "unknown"] += 1
        counts["requests_by_destination"][country] += 1
        networks, network = counts["requests_by_network"], attempt.client.masked
        networks[network if network in networks or len(networks) < NETWORKS_SHOWN else "other"] += 1
        counts["by_action"][str(decision.action)] += 1
        if decision.finding is not None:
            counts["by_rule"][decision.finding.rule] += 1
        if decision.action is Action.SHADOW:
            self.shadow_messages += 1
            counts["shadow_by_country"][country] += 1
            self._saved[country] += round((attempt.price or 0.0) * MILLION)

    @property
    def shadow_dollars_saved(self) -> float:
        """USD that shadowed messages had cost."""
        return self._saved.total() / MILLION

    def snapshot(self) -> dict[str, object]:
        """All counts, the largest first."""
        counts = {name: dict(counter.most_common()) for name, counter in self.counts.items()}
        shadows = counts.pop("shadow_by_country")
        guard = self._guard
        queue = None if guard is None else guard.reports.queue
        return {
            "total_requests": self.total_requests,
            "degraded": self.degraded,
            "outcomes_waiting": 0 if queue is None else len(queue),
            "outcomes_lost": 0 if queue is None else queue.lost,
            "observed": {} if guard is None else guard.observations.snapshot(),
            **counts,
            "shadow_messages": self.shadow_messages,
            "shadow_dollars_saved": self.shadow_dollars_saved,
            "shadow_by_country": {
                country: {"messages": messages, "dollars": self._saved[country] / MILLION}
                for country, messages in shadows.items()
            },
        }
