"""OpenTelemetry gets the same series as Prometheus, and the server's span says what was decided."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from pumpguard import Action, Decision, Finding, Guard, Policy
from pumpguard.listeners import Became, Recorded
from pumpguard.ops import series
from pumpguard.ops.otel import OpenTelemetryMeter
from pumpguard.receipts.base import Reported
from pumpguard.store.embedded import EmbeddedServer
from pumpguard.testing import make_attempt
from tests.asgi import ask
from tests.otp_app import Outbox, guarded, otp_app

GERMAN = "+4915112345678"


def metered(guard: Guard) -> tuple[OpenTelemetryMeter, InMemoryMetricReader]:
    """A meter with a provider of its own, and what reads it."""
    reader = InMemoryMetricReader()
    return OpenTelemetryMeter(guard, MeterProvider([reader])), reader


def read(reader: InMemoryMetricReader) -> dict[str, Any]:
    """All metrics of one export, by name."""
    data = reader.get_metrics_data()
    assert data is not None
    [resource] = data.resource_metrics
    [scope] = resource.scope_metrics
    assert scope.scope.name == "pumpguard"
    return {metric.name: metric for metric in scope.metrics}


async def test_decisions_and_outcomes_are_exported() -> None:
    """With the labels of the table as attributes; an export adds nothing by itself."""
    app = guarded(otp_app(Outbox()))
    meter, reader = metered(app.guard)
    assert (await ask(app)).status == 202
    assert (await ask(app)).status == 429
    meter.outcome(Became(make_attempt(GERMAN).phone, "verified", 0.0, usd=0.5))
    for _ in range(2):
        found = read(reader)
        points = found["pumpguard.decisions"].data.data_points
        assert {point.attributes["pumpguard.action"]: point.value for point in points} == {
            "allow": 1, "throttle": 1,
        }  # fmt: skip
        [point] = found["pumpguard.verified.dollars"].data.data_points
        assert (point.value, dict(point.attributes)) == (0.5, {"pumpguard.country": "DE"})
    await app.guard.aclose()


async def test_deliveries_are_timed_by_country_and_carrier() -> None:
    """Each in its own series, once."""
    meter, reader = metered(Guard(Policy(send="/")))
    phone = make_attempt(GERMAN).phone
    for carrier, seconds in (("26202", 12.0), ("26202", 3.0), ("", 7.0)):
        meter.reported(Reported(phone, "sinch", "delivered", 0.0, carrier, seconds))
    found = read(reader)
    points = found["pumpguard.delivery.duration"].data.data_points
    assert {point.attributes["pumpguard.carrier"]: point.sum for point in points} == {
        "26202": 15.0, "": 7.0,
    }  # fmt: skip
    assert tuple(points[0].explicit_bounds) == series.DELIVERIES
    assert sum(point.value for point in found["pumpguard.receipts"].data.data_points) == 3


async def test_names_and_units_are_the_tables() -> None:
    """So that a collector's translation gives Prometheus the names that it has without one."""
    with EmbeddedServer() as server:
        guard = Guard(Policy(send="/", deadline=5.0), server.url)
        _, reader = metered(guard)
        await guard.assess(guard.attempt(GERMAN))
        await guard.settled()
        found = read(reader)
        units = {each.name: each.unit for each in series.ALL}
        assert {name: metric.unit for name, metric in found.items()}.items() <= units.items()
        [point] = found[series.LATENCY.name].data.data_points
        assert point.count >= 1
        assert tuple(point.explicit_bounds) == series.LATENCIES
        assert found[series.BREAKER.name].data.data_points[0].value == 0
        await guard.aclose()


@pytest.fixture
def spans() -> InMemorySpanExporter:
    """What was traced."""
    return InMemorySpanExporter()


def traced(app: Any, spans: InMemorySpanExporter) -> Any:
    """The app with the server's instrumentation in front."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    return OpenTelemetryMiddleware(app, tracer_provider=provider)


def of_server(spans: InMemorySpanExporter) -> ReadableSpan:
    """The newest span of a server."""
    return [each for each in spans.get_finished_spans() if each.kind is SpanKind.SERVER][-1]


async def test_the_servers_span_says_what_was_decided(spans: InMemorySpanExporter) -> None:
    """In the conventions' names, and nobody's address."""
    app = guarded(otp_app(Outbox()))
    OpenTelemetryMeter(app.guard, MeterProvider())
    watched = traced(app, spans)
    await ask(watched, client=("198.51.100.77", 1))
    about = of_server(spans).attributes
    assert about is not None
    assert about["pumpguard.action"] == "allow"
    assert about["security_rule.ruleset.name"] == "default"
    assert "security_rule.name" not in about
    assert (await ask(watched, client=("198.51.100.77", 1))).status == 429
    about = of_server(spans).attributes
    assert about is not None
    assert about["pumpguard.action"] == "throttle"
    assert about["security_rule.name"] == "limit"
    assert about["pumpguard.country"] == "GB"
    assert about["client.address"] == "198.51.100.•"
    assert not [value for value in about.values() if "7400123456" in str(value)]


async def test_spans_may_be_left_alone(spans: InMemorySpanExporter) -> None:
    """Where the app wants metrics only."""
    app = guarded(otp_app(Outbox()))
    OpenTelemetryMeter(app.guard, MeterProvider(), spans=False)
    await ask(traced(app, spans))
    about = of_server(spans).attributes
    assert about is not None
    assert "pumpguard.action" not in about


async def test_the_span_of_a_job_says_it_too(spans: InMemorySpanExporter) -> None:
    """Where a worker asks without HTTP."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    guard = Guard(Policy(send="/"))
    OpenTelemetryMeter(guard, MeterProvider())
    with provider.get_tracer("worker").start_as_current_span("job"):
        await guard.assess(guard.attempt(GERMAN))
    [span] = spans.get_finished_spans()
    assert span.attributes is not None
    assert span.attributes["pumpguard.action"] == "allow"
    await guard.aclose()


async def test_a_span_around_a_decision_says_it_too(spans: InMemorySpanExporter) -> None:
    """Where a guard is asked without HTTP; with the country of an address that is known."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    guard = Guard(Policy(send="/"))
    OpenTelemetryMeter(guard, MeterProvider())
    with provider.get_tracer("app").start_as_current_span("send a code"):
        await guard.assess(make_attempt(GERMAN, country="FR"))
    await guard.aclose()
    (span,) = spans.get_finished_spans()
    assert span.attributes is not None
    assert span.attributes["pumpguard.country"] == "DE"
    assert span.attributes["client.geo.country.iso_code"] == "FR"


async def test_what_only_monitors_is_put_down_to_its_rule() -> None:
    """Whatever else was noted."""
    guard = Guard(Policy(send="/"))
    meter, reader = metered(guard)
    noted = Finding("budget", Action.ALLOW, "BUDGET_ALERT")
    monitored = Finding("new", Action.BLOCK, "FULL", mode="monitor")
    for findings in ((noted, monitored), (noted,)):
        meter.decided(Recorded(Decision(make_attempt(), Action.ALLOW, findings), 0.0))
    points = read(reader)["pumpguard.decisions"].data.data_points
    assert {point.attributes["pumpguard.rule"] for point in points} == {"new", ""}
    await guard.aclose()


async def test_a_budget_in_shards_has_no_one_sum(valkey_url: str, name: str) -> None:
    """Each shard has its own."""
    policy = Policy(send="/", name=name, daily_budget=600, shards=2, deadline=5.0)
    async with Guard(policy, valkey_url) as guard:
        _, reader = metered(guard)
        await guard.assess(guard.attempt(GERMAN))
        assert "pumpguard.budget.limit.dollars" not in read(reader)
