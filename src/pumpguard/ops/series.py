"""The series that a guard exports, by one name each for Prometheus and OpenTelemetry.

A name is OpenTelemetry's; Prometheus has it with underscores, its unit and ``_total``, as the
OpenTelemetry collector would translate it. No label is an attacker's to choose: a country is one of
some 250 ISO codes or a calling code without a country, a carrier is one of the 200 that receipts
named first, a rule is one of the policy's, and all other labels are words of ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

LATENCIES = (0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1.0)
"""Upper bounds of the buckets for the store's answers, in seconds. Its default deadline, 0.05, is
one of them."""


DELIVERIES = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_800.0, 3_600.0)
"""The same for deliveries: people wait for half a minute, and codes live for ten."""


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One name and its labels. ``unit`` is UCUM's, as OpenTelemetry wants it; ``most`` says how
    many time series there can be in a process at most; ``bounds`` are those of the buckets."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    unit: str
    text: str
    most: str
    bounds: tuple[float, ...] = ()

    @property
    def prometheus(self) -> str:
        """The name as queries have it."""
        name = self.name.replace(".", "_") + ("_seconds" if self.unit == "s" else "")
        return f"{name}_total" if self.kind == "counter" else name


DECISIONS = Series(
    "pumpguard.decisions", "counter", ("action", "rule", "mode", "country"), "{decision}",
    "Decisions, by the rule that decided (none where nothing refused) and the number's country; "
    "mode is monitor where a rule that only monitors would have refused",
    "rules × 2 × countries",
)  # fmt: skip
FINDINGS = Series(
    "pumpguard.findings", "counter", ("rule", "action", "mode"), "{finding}",
    "What each rule has found, whether it decided or not", "rules × 5 × 2",
)  # fmt: skip
DEGRADED = Series(
    "pumpguard.decisions.degraded", "counter", (), "{decision}",
    "Decisions that were made without the store", "1",
)  # fmt: skip
SPENT = Series(
    "pumpguard.spent.dollars", "counter", ("country",), "{USD}",
    "Prices of the messages that were let through", "countries",
)  # fmt: skip
REFUSED = Series(
    "pumpguard.refused.dollars", "counter", ("action", "country"), "{USD}",
    "What other messages would have cost, each time they were asked for; a challenge may be met",
    "4 × countries",
)  # fmt: skip
LIMIT = Series(
    "pumpguard.budget.limit.dollars", "gauge", ("rule", "seconds"), "{USD}",
    "A budget for everything, in so many seconds; not where the policy has shards", "3 × budgets",
)  # fmt: skip
LEFT = Series(
    "pumpguard.budget.left.dollars", "gauge", ("rule", "seconds"), "{USD}",
    "What is left of it", "3 × budgets",
)  # fmt: skip
OUTCOMES = Series(
    "pumpguard.outcomes", "counter", ("outcome", "country"), "{message}",
    "What became of messages: verified, failed or unallocated", "3 × countries",
)  # fmt: skip
VERIFICATIONS = Series(
    "pumpguard.verifications", "counter", ("country",), "{verification}",
    "Right codes that were entered; one may verify several messages, or none that is known",
    "countries",
)  # fmt: skip
VERIFIED = Series(
    "pumpguard.verified.dollars", "counter", ("country",), "{USD}",
    "Prices of the messages that were verified", "countries",
)  # fmt: skip
CHALLENGES = Series(
    "pumpguard.challenges", "counter", ("result",), "{challenge}",
    "Challenges that were posed, and requests that brought proof (met); the rest was abandoned",
    "2",
)  # fmt: skip
LATENCY = Series(
    "pumpguard.store.duration", "histogram", (), "s",
    "How long calls of the store took, failed ones too", str(len(LATENCIES) + 3), LATENCIES,
)  # fmt: skip
REPORTED = Series(
    "pumpguard.receipts", "counter", ("outcome", "country", "carrier"), "{message}",
    "What providers have reported of messages: delivered, undelivered, failed or unallocated, by "
    "the number's country and the carrier where a receipt names one",
    "4 × (countries + carriers)",
)  # fmt: skip
DELIVERY = Series(
    "pumpguard.delivery.duration", "histogram", ("country", "carrier"), "s",
    "How long messages took from the provider's answer to the phone, as receipts have it",
    f"{len(DELIVERIES) + 3} × (countries + carriers)", DELIVERIES,
)  # fmt: skip
FAULTS = Series(
    "pumpguard.store.faults", "counter", ("reason",), "{fault}",
    "Calls of the store that failed: it refused them, or did not answer", "2",
)  # fmt: skip
BREAKER = Series(
    "pumpguard.store.breaker", "gauge", ("shard",), "1",
    "The circuit breaker: 0 closed, 1 half-open, 2 open", "shards",
)  # fmt: skip
POSTURE = Series(
    "pumpguard.posture", "gauge", ("country",), "1",
    "The posture, of all (no country) and of countries that have their own: 0 observe, 1 normal, "
    "2 challenge_all, 3 known_only, 4 closed", "1 + countries",
)  # fmt: skip
ALERTS = Series(
    "pumpguard.alerts", "counter", ("code",), "{alert}",
    "Alerts that this process has raised", "codes of alerts",
)  # fmt: skip
NOTICED = Series(
    "pumpguard.noticed", "gauge", ("code",), "1",
    "1 for what the log has said within the last hour, by its code", "codes of the log",
)  # fmt: skip
OBSERVED = Series(
    "pumpguard.observed", "counter", ("what",), "1",
    "What the guard has seen of the app: requests read and unread, messages, verifications …",
    "20",
)  # fmt: skip
DROPPED = Series(
    "pumpguard.events.dropped", "counter", ("listener",), "{event}",
    "What a listener could not pass on: events; of the fleet's counts, those of a second",
    "listeners",
)  # fmt: skip
WAITING = Series(
    "pumpguard.outcomes.waiting", "gauge", (), "{outcome}",
    "Outcomes that the store has not been told yet", "1",
)  # fmt: skip
LOST = Series(
    "pumpguard.outcomes.lost", "counter", (), "{outcome}",
    "Outcomes that the store could not be told", "1",
)  # fmt: skip

ALL = (
    DECISIONS, FINDINGS, DEGRADED, SPENT, REFUSED, LIMIT, LEFT, OUTCOMES, VERIFICATIONS, VERIFIED,
    REPORTED, DELIVERY, CHALLENGES, LATENCY, FAULTS, BREAKER, POSTURE, ALERTS, NOTICED, OBSERVED,
    DROPPED, WAITING, LOST,
)  # fmt: skip
