"""Who is woken by the harness's days: nobody by a crowd, once by an attack."""

from __future__ import annotations

import pytest

from attack_harness.benchmark.cells import Cell, Setting
from attack_harness.benchmark.played import run_cell
from pumpguard.alerts import Alert, Alerts


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The alerts about attacks that are raised from now on."""
    codes: list[str] = []
    tell = Alerts.tell

    def noted(alerts: Alerts, alert: Alert) -> None:
        codes.append(alert.code)
        tell(alerts, alert)

    monkeypatch.setattr(Alerts, "tell", noted)
    return codes


@pytest.mark.parametrize(
    "day", ["no_attack", "launch", "big_launch", "slow_provider", "broken_provider"]
)
async def test_no_crowd_wakes_anybody(day: str, woken: list[str]) -> None:
    """Those of them on which most is refused, and a plain day."""
    await run_cell(Cell(day, 1, "appwrite-2025", "pumpguard"), Setting(users=400))
    assert woken == []


@pytest.mark.parametrize("family", ["sequential_block", "random_in_country"])
async def test_an_attack_wakes_somebody_once(family: str, woken: list[str]) -> None:
    """When it begins; and it is over when it is."""
    await run_cell(Cell(family, 1, "appwrite-2025", "pumpguard"), Setting(users=300, part=0.2))
    assert woken == ["ATTACK_BEGINS", "ATTACK_OVER"]
