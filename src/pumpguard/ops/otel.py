"""Metrics and span attributes for OpenTelemetry (docs/operations.md#metrics). Needs the extra
``otel``, and an SDK that the app sets up.

    OpenTelemetryMeter(guard)

All is only read when the SDK exports: a request adds to plain numbers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from functools import partial

try:
    from opentelemetry import metrics, trace
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "OpenTelemetry's API is missing: pip install 'pumpguard[otel]'", name=error.name
    ) from None
from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation
from opentelemetry.util.types import AttributeValue

from pumpguard.decision import Decision
from pumpguard.guard import Guard
from pumpguard.listeners import Recorded
from pumpguard.ops import series
from pumpguard.ops.fleet.tally import country_of
from pumpguard.ops.meter import Labels, Meter, Write
from pumpguard.ops.series import Series

KEPT = 100_000
"""Times, of the store's answers and of deliveries, that wait for an export; older ones are left
out."""


class Cell:
    """The value of one series with its attributes."""

    def __init__(self, attributes: dict[str, AttributeValue]) -> None:
        self.value = 0.0
        self.attributes = attributes

    def add(self, amount: float) -> None:
        self.value += amount

    def set(self, value: float) -> None:
        self.value = value


class OpenTelemetryMeter(Meter):
    """Counts for a meter provider: the app's own by default. With ``spans``, the span in which a
    request is decided says how: the server's, if its instrumentation stands in front of the guard.

    A span gets the conventions' names where there are some: ``security_rule.name`` and
    ``security_rule.ruleset.name``, ``client.address`` (masked, in the place of what the
    instrumentation wrote there) and ``client.geo.country.iso_code``; the rest is below
    ``pumpguard.``. Nothing in it names a person.
    """

    def __init__(
        self, guard: Guard, provider: MeterProvider | None = None, *, spans: bool = True
    ) -> None:
        self._cells: dict[Series, list[Cell]] = {each: [] for each in series.ALL}
        self._times: deque[tuple[Series, dict[str, AttributeValue], float]] = deque(maxlen=KEPT)
        self._spans, self._ruleset = spans, guard.policy.name
        meter = metrics.get_meter("pumpguard", meter_provider=provider)
        self._histograms = {
            each: meter.create_histogram(
                each.name, each.unit, each.text, explicit_bucket_boundaries_advisory=each.bounds
            )
            for each in series.ALL
            if each.kind == "histogram"
        }
        super().__init__(guard)
        for each in series.ALL:
            about = [partial(self._observe, each)], each.unit, each.text
            match each.kind:
                case "counter":
                    meter.create_observable_counter(each.name, *about)
                case "gauge":
                    meter.create_observable_gauge(each.name, *about)

    def instrument(self, series: Series, labels: Labels) -> Write:
        about: dict[str, AttributeValue] = {
            f"pumpguard.{k}": v for k, v in zip(series.labels, labels, strict=True)
        }
        if series.kind == "histogram":  # recording one takes as long as all the rest
            return lambda value: self._times.append((series, about, value))
        cell = Cell(about)
        self._cells[series].append(cell)
        return cell.add if series.kind == "counter" else cell.set

    def answering(self, decision: Decision) -> None:
        self._mark(decision)  # later the server's span has ended

    def decided(self, recorded: Recorded) -> None:
        super().decided(recorded)
        if recorded.exchange is None:
            self._mark(recorded.decision)

    def _mark(self, decision: Decision) -> None:
        """Say in the current span what was decided."""
        if self._spans:
            span = trace.get_current_span()
            if span.is_recording():
                span.set_attributes(self._attributes(decision))

    def _observe(self, of: Series, options: CallbackOptions) -> Iterable[Observation]:
        if of is series.ALL[0]:  # once for each export
            self.poll()
            while self._times:
                measured, about, value = self._times.popleft()
                self._histograms[measured].record(value, about)
        return [Observation(cell.value, cell.attributes) for cell in list(self._cells[of])]

    def _attributes(self, decision: Decision) -> dict[str, AttributeValue]:
        client, finding = decision.attempt.client, decision.finding
        found: dict[str, AttributeValue] = {
            "pumpguard.action": str(decision.action),
            "pumpguard.country": country_of(decision.attempt.phone),
            "pumpguard.degraded": decision.degraded,
            "security_rule.ruleset.name": self._ruleset,
        }
        if finding is not None:
            found["security_rule.name"] = finding.rule
            found["pumpguard.reason"] = finding.code
            found["pumpguard.reference"] = decision.reference
        if client.network is not None:
            found["client.address"] = client.masked
        if client.country is not None:
            found["client.geo.country.iso_code"] = client.country
        return found
