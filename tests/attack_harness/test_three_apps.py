"""Three apps that are not the target app in shape: nobody notices the guard but the attackers."""

from __future__ import annotations

import asyncio
import re

import pytest

from attack_harness.three_apps.__main__ import main
from attack_harness.three_apps.stage import SIZE, STAGES, day

EXPECTED = {"PG030", "PG078", "PG087"}  # PG078: guards of other days are in this process
"""Half of the day's budget is spent in the evening; and GraphQL documents have aliases."""


@pytest.mark.parametrize("name", STAGES)
def test_a_day_of_4000_people_and_an_attack(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """At most one in a thousand is refused, and 98 % of what the attack would have cost is saved.
    What is shadowed looks as if it were sent, and is not. The log says nothing that is not so."""
    played = asyncio.run(day(name))
    assert len(played.outcomes) == SIZE
    assert played.refused <= 0.001 * SIZE
    assert played.saved >= 0.98
    assert len(played.shadows) >= 150
    assert played.unseen >= 150
    assert played.under_shadow == 0
    by_phone = [each for each in played.outcomes if "@" not in each.user.phone]
    counts = played.guard.observations.counts
    assert counts["verified"] == sum(each.verified for each in by_phone)
    assert not counts["not_understood"]
    assert set(re.findall(r"\bPG\d{3}\b", caplog.text)) <= EXPECTED


def test_the_same_seed_is_the_same_day() -> None:
    """Threads and pools notwithstanding."""
    first, second = (asyncio.run(day("pool", 3, 150, 0.05)) for _ in range(2))
    assert first.log == second.log
    assert first.shadows == second.shadows
    assert first.provider.ledger == second.provider.ledger


def test_a_redis_decides_alike(valkey_url: str) -> None:
    """As memory does."""
    days = [asyncio.run(day("graphql", 4, 150, 0.05, store)) for store in ("memory://", valkey_url)]
    assert days[0].log == days[1].log
    assert days[0].lost == days[1].lost


def test_a_row_for_each_app_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """As in docs/setup.md."""
    assert main(["--users", "40", "--part", "0.01"]) == 0
    rows = capsys.readouterr().out.splitlines()[2:]
    assert [row.split(" | ")[0] for row in rows] == [f"| {name}" for name in STAGES]
