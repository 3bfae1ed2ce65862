"""Metrics for Prometheus (docs/operations.md#metrics). Needs the extra ``prometheus``.

    app.mount("/metrics", metrics_app(guard))

Where several workers share a port, a scrape meets one of them. Set ``PROMETHEUS_MULTIPROC_DIR`` for
all of them to an empty directory, as prometheus-client has it: each worker writes its counts there,
and whichever is asked adds them up. The counts that the fleet keeps in the store are no substitute:
they end after some hours, which rates would take for falls, and they have no histograms.
"""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path
from typing import Literal

try:
    import prometheus_client
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "Prometheus' client is missing: pip install 'pumpguard[prometheus]'", name=error.name
    ) from None
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, multiprocess
from prometheus_client.exposition import choose_encoder
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from pumpguard.guard import Guard
from pumpguard.ops import series
from pumpguard.ops.meter import Labels, Meter, Write
from pumpguard.ops.series import Series

DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"

LIVE = re.compile(r"gauge_live\w+_(\d+)\.db")
"""A worker's gauges, which end with it."""

Mode = Literal["livesum", "livemax", "livemostrecent"]

MODES: dict[Series, Mode] = {
    series.WAITING: "livesum", series.BREAKER: "livemax", series.NOTICED: "livemax",
}  # fmt: skip
"""How gauges of several workers become one; of all others, which are the fleet's, the newest
counts."""


class PrometheusMeter(Meter):
    """Counts into a registry: by default the one that an app's own ``/metrics`` shows. One guard
    for each registry."""

    def __init__(
        self, guard: Guard, registry: CollectorRegistry = prometheus_client.REGISTRY
    ) -> None:
        self._made = {each: _metric(each, registry) for each in series.ALL}
        super().__init__(guard)

    def instrument(self, series: Series, labels: Labels) -> Write:
        metric = self._made[series]
        labelled = metric.labels(*labels) if labels else metric
        match labelled:
            case Counter():
                return labelled.inc
            case Gauge():
                return labelled.set
        return labelled.observe


class MetricsApp:
    """Answers every request with all series, as of now. It asks nobody who they are: mount it where
    strangers do not get."""

    def __init__(self, guard: Guard) -> None:
        registry = CollectorRegistry()
        self.meter = PrometheusMeter(guard, registry)
        if DIRECTORY in os.environ:
            registry = CollectorRegistry()
            multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        self._registry = registry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        encode, kind = choose_encoder(headers.get(b"accept", b"").decode("latin-1"))
        self.meter.poll()
        await self.meter.look()
        _forget_the_dead()
        text = await asyncio.to_thread(encode, self._registry)
        await Response(text, headers={"content-type": kind})(scope, receive, send)


def metrics_app(guard: Guard) -> ASGIApp:
    """An ASGI app with all series of a guard, to be mounted, or to stand behind an app's own
    check of who asks. Make one for each guard and process."""
    return MetricsApp(guard)


def _metric(series: Series, registry: CollectorRegistry) -> Counter | Gauge | Histogram:
    name, text, labels = series.prometheus, f"{series.text}.", series.labels
    match series.kind:
        case "counter":
            return Counter(name, text, labels, registry=registry)
        case "histogram":
            return Histogram(name, text, labels, registry=registry, buckets=series.bounds)
    mode = MODES.get(series, "livemostrecent")
    return Gauge(name, text, labels, registry=registry, multiprocess_mode=mode)


def _forget_the_dead() -> None:
    """Drop the gauges of workers that were killed; what they counted stays."""
    directory = os.environ.get(DIRECTORY)
    for path in Path(directory).iterdir() if directory else ():
        found = LIVE.fullmatch(path.name)
        if found is not None:
            try:
                os.kill(int(found[1]), 0)
            except ProcessLookupError:
                path.unlink(missing_ok=True)
            except PermissionError:
                pass  # it lives, as somebody else
