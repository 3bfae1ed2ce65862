"""A real Prometheus scrapes the example app under attack: the dashboard has something to show, and
the alerts fire and resolve."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from attack_harness.attackers.base import Attack, Shot
from attack_harness.clock import MIDNIGHT
from attack_harness.population import population
from attack_harness.run import play
from attack_harness.server import served
from attack_harness.targets import OverHttp
from attack_harness.user import Outcome, starts
from pumpguard.ops import series
from tests.ops.prometheus.server import OPS, RULES, Prometheus, faster, program, queries

HOME = ("GB", "DE", "FR")

POLICY = """
send = "/otp/send"
verify = "/otp/verify"
home = ["GB", "DE", "FR"]
name = "{name}"
daily_budget = 600
deadline = 10
proxies = ["127.0.0.0/8"]
"""

BUSY = {"PumpguardStoreSlow"}
"""What may be true of a machine that is busy with other tests; promtool plays it for itself."""

AGO = 1_800.0
"""Seconds since the played minutes: what the store has counted is still there."""


@pytest.fixture(scope="session")
def path() -> str:
    """Debian's; who has none skips these tests, but never in CI."""
    found = program()
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("CI has to install prometheus")
        pytest.skip("there is no Prometheus on this machine")
    return found


@pytest.fixture
async def app(tmp_path: Path, valkey_url: str, name: str) -> AsyncIterator[str]:
    """The example app with its metrics, by its URL."""
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY.format(name=name))
    environ = {"PUMPGUARD_REDIS_URL": valkey_url, "TARGET_APP_METRICS": "1"}
    async with served(guard=True, policy=policy, environ=environ) as url:
        yield url


async def people(target: OverHttp) -> int:
    """Users come from home, and enter their codes; how many did."""
    began = time.time() - AGO
    users = [each for each in population(7, 100) if each.country in HOME and not each.groups]
    visits = [Outcome(replace(user, at=began + 5 * i)) for i, user in enumerate(users[:40])]
    await play(target, starts(visits))
    assert not [visit for visit in visits if visit.challenged]
    return sum(visit.verified for visit in visits)


async def attack(target: OverHttp, wave: int) -> None:
    """A block of one country is asked for, from many addresses."""
    shots = tuple(
        Shot(n * 0.02, f"+99450{1_230_000 + (150 * wave + n) * 7 % 9_000:07}",
             f"198.51.{n % 5}.{n % 40 + 1}")
        for n in range(150)
    )  # fmt: skip
    begins = time.time() - MIDNIGHT - AGO / 2 + 5 * wave
    await play(target, Attack("block", "block", begins, shots).actors())


def test_the_rules_are_sound(path: str) -> None:
    """As promtool says, which also plays them."""
    for verb, file in (("check", RULES), ("test", RULES.with_suffix(".test.yml"))):
        command = ["promtool", verb, "rules", str(file)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


async def test_the_dashboard_and_the_alerts_see_an_attack(
    path: str, tmp_path: Path, app: str
) -> None:
    """Nothing fires while people come, and once the attack is over; each query has its series."""
    async with Prometheus(path, tmp_path, urlsplit(app).netloc) as server, OverHttp(app) as target:

        async def scraped() -> bool:
            return bool(await server.query("pumpguard_posture"))

        await server.until(scraped)
        assert await people(target) > 20
        waves = 0

        async def fires() -> bool:
            nonlocal waves
            await attack(target, waves)
            waves += 1
            return "PumpguardAttack" in await server.firing()

        assert await server.firing() <= BUSY
        await server.until(fires)
        empty = [panel for panel, query in queries().items() if not await server.query(query)]
        assert empty == []
        [spike] = await server.query(faster("sum(increase(pumpguard_refused_dollars_total[1h]))"))
        assert float(spike["value"][1]) > 1

        async def is_over() -> bool:
            return await server.firing() <= BUSY

        await server.until(is_over)


def test_queries_and_rules_know_the_table() -> None:
    """No name in them is misspelt, and none of the table is left out of both."""
    text = RULES.read_text("utf-8") + "".join(queries().values())
    for each in series.ALL:
        assert each.prometheus in text
        text = text.replace(f"{each.prometheus}_bucket", "").replace(each.prometheus, "")
    assert "pumpguard_" not in text
    assert (OPS / "grafana").is_dir()
