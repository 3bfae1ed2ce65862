"""A real Prometheus that scrapes an app several times a second, with the rules of `ops/`."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Self

import httpx

OPS = Path(__file__).parents[3] / "ops"
RULES = OPS / "prometheus" / "pumpguard.rules.yml"
DASHBOARD = OPS / "grafana" / "pumpguard.json"

PATIENT = 60.0
"""Seconds for anything: a busy machine must not look like a fault."""

FASTER = {"m": 1, "h": 60, "d": 1_440}
"""What a minute, an hour and a day become, in seconds: nobody waits for half an hour."""

CONFIG = """
global: {{scrape_interval: 250ms, scrape_timeout: 250ms, evaluation_interval: 250ms}}
rule_files: [{rules}]
scrape_configs:
  - job_name: app
    static_configs: [{{targets: ["{target}"]}}]
"""


def program() -> str | None:
    """Where Prometheus is, if it is here with its promtool."""
    return shutil.which("prometheus") if shutil.which("promtool") else None


def faster(text: str) -> str:
    """Rules or queries with each minute shortened to a second."""

    def shortened(found: re.Match[str]) -> str:
        return f"{found[1]}{int(found[2]) * FASTER[found[3]]}s"

    return re.sub(r"(\[|offset |for: )(\d+)([mhd])\b", shortened, text)


def queries() -> dict[str, str]:
    """All queries of the dashboard, as Grafana would send them, by panel."""
    found = {}
    for panel in json.loads(DASHBOARD.read_text("utf-8"))["panels"]:
        for target in panel["targets"]:
            query = target["expr"].replace("$__rate_interval", "5m").replace("$job", ".+")
            found[f"{panel['title']} {target['refId']}"] = query
    return found


class Prometheus:
    """One server, which scrapes ``target`` (host and port) while it is entered."""

    def __init__(self, path: str, home: Path, target: str) -> None:
        rules = home / "rules.yml"
        rules.write_text(faster(RULES.read_text("utf-8")), "utf-8")
        config = home / "prometheus.yml"
        config.write_text(CONFIG.format(rules=rules, target=target), "utf-8")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            where = f"127.0.0.1:{probe.getsockname()[1]}"
        self._command = [
            path, f"--config.file={config}", f"--storage.tsdb.path={home / 'data'}",
            f"--web.listen-address={where}", "--log.level=error",
        ]  # fmt: skip
        self._client = httpx.AsyncClient(base_url=f"http://{where}/api/v1", trust_env=False)

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(*self._command)
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._client.aclose()
        self._process.terminate()
        await self._process.wait()

    async def query(self, expression: str) -> list[dict[str, Any]]:
        """The series that a query gives now."""
        answer = await self._client.get("/query", params={"query": expression})
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["data"]["result"]
        return found

    async def firing(self) -> set[str]:
        """The alerts that fire now."""
        answer = await self._client.get("/alerts")
        alerts = answer.json()["data"]["alerts"]
        return {each["labels"]["alertname"] for each in alerts if each["state"] == "firing"}

    async def until(self, holds: Callable[[], Awaitable[bool]]) -> None:
        """Wait for something."""
        for _ in range(round(PATIENT / 0.2)):
            try:
                if await holds():
                    return
            except httpx.TransportError:  # it has not begun to listen
                assert self._process.returncode is None
            await asyncio.sleep(0.2)
        raise AssertionError(f"not within {PATIENT:.0f} s: {await self.firing()} fire")
