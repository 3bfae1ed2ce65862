"""What the service has counted: for Prometheus, and as JSON."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pumpguard import Guard, Policy
from pumpguard.serve import BearerTokens, Service
from tests.serve.conftest import Client


def samples(text: str, name: str) -> dict[str, float]:
    """A series' values, by action."""
    families = text_string_to_metric_families(text)
    found = [each for family in families for each in family.samples if each.name == name]
    return {each.labels["action"]: each.value for each in found}


async def test_prometheus_scrapes_decisions(client: Client) -> None:
    """In its text format, whatever asked for them."""
    for _ in range(3):
        await client.assess()
    reply = await client.get("/metrics")
    assert (reply.status, reply.headers["content-type"][:20]) == (200, "text/plain; version=")
    decisions = samples(reply.body.decode(), "pumpguard_decisions_total")
    assert decisions == {"allow": 2, "throttle": 1}
    assert "123456" not in reply.body.decode()


async def test_counts_as_json(client: Client) -> None:
    """Those of `FirewallMetrics`."""
    await client.assess()
    reply = await client.get("/metrics.json")
    assert reply.json["by_action"] == {"allow": 1}
    assert reply.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/metrics", "/metrics.json"])
async def test_both_are_for_whoever_has_a_token(client: Client, path: str) -> None:
    """And say no more to others than any path does; nothing can be posted there."""
    for token in ("another", ""):
        reply = await client.get(path, token)
        assert (reply.status, reply.headers["www-authenticate"]) == (401, "Bearer")
        assert b"pumpguard_" not in reply.body
    assert (await client.post(path, {})).status == 405


async def test_without_the_extra_it_is_named(tokens: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To whoever has a token; the service starts, and the counts as JSON are there."""
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    monkeypatch.delitem(sys.modules, "pumpguard.ops.prometheus", raising=False)
    async with Guard(Policy(send="/s", rules=[])) as guard:
        client = Client(Service(guard, BearerTokens(tokens)))
        reply = await client.get("/metrics")
        assert reply.status == 501
        assert "pip install 'pumpguard[prometheus]'" in reply.json["detail"]
        assert (await client.get("/metrics", "another")).status == 401
        assert (await client.get("/metrics.json")).status == 200
