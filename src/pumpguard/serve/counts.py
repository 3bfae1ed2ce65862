"""What the service has counted, for whoever has a token: for Prometheus, and as JSON."""

from __future__ import annotations

from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from pumpguard.guard import Guard
from pumpguard.ops.metrics import FirewallMetrics
from pumpguard.replies import Problem
from pumpguard.serve.tokens import BearerTokens


class ForTokens:
    """An ASGI app for whoever says one of the tokens. Raises `IntakeError` for all others."""

    def __init__(self, tokens: BearerTokens, app: ASGIApp) -> None:
        self._tokens, self._app = tokens, app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._tokens.check(scope["headers"])
        await self._app(scope, receive, send)


def count_routes(guard: Guard, tokens: BearerTokens, metrics: FirewallMetrics) -> tuple[Route, ...]:
    """``/metrics`` in Prometheus' formats, and ``/metrics.json``: those of `FirewallMetrics`."""

    async def counts(scope: Scope, receive: Receive, send: Send) -> None:
        answer = JSONResponse(metrics.snapshot(), headers={"cache-control": "no-store"})
        await answer(scope, receive, send)

    apps = {"/metrics": _exporter(guard), "/metrics.json": counts}
    return tuple(Route(path, ForTokens(tokens, app), methods=["GET"]) for path, app in apps.items())


def _exporter(guard: Guard) -> ASGIApp:
    """All series of the guard; a problem that names the extra, where that is missing."""
    try:
        from pumpguard.ops.prometheus import metrics_app
    except ModuleNotFoundError as error:
        if error.name != "prometheus_client":
            raise
        detail = f"{error}. Counts as JSON are at /metrics.json."
        return Problem(501, "no-exporter", "No exporter", detail)
    return metrics_app(guard)
